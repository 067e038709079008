"""Whatever is due in the queue is done, by whichever process looks first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.queue import QueueRules
from handoff.alarms import NewAlarm, raise_alarms
from handoff.queue import metrics
from handoff.queue.assign import is_present
from handoff.queue.callbacks import UNDONE, reopen
from handoff.queue.decide import Decisions, decide
from handoff.queue.model import ACTIVE, Change, Entry
from handoff.queue.people import not_there
from handoff.queue.rows import (
    LOCK,
    agent_row,
    change,
    current,
    lock_entry,
    put_back,
    row_of,
    seats,
    set_agent,
)
from handoff.queue.talks import alarm_key, leave
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.tables import Agent, Alarm, Callback, Conversation, HandoffEntry, WorkOrder

_ALARMS_AT_ONCE = 20
_A_MINUTE_OR_TWO = 120
_COUNTED = ("offered", "lapsed", "vanished")


def dispatch(engine: Engine, rules: QueueRules, now: datetime) -> tuple[Change, ...]:
    """Do whatever is due: lapse offers, drop vanished agents, make offers, raise alarms.

    Any process may do it at any time, also several at once: what is due is done once. Nothing is
    locked where nothing is due. Raises the database's errors.
    """
    with reading(engine) as session:
        gone = _gone(session)
        due = _due(session, rules, now)
        other = _callbacks_due(session, rules, now)
    changes: list[Change] = []
    for conversation in gone:
        changes += _left(engine, conversation, now, rules)
    for entry in due.returned:
        changes += _returned(engine, entry, now, rules)
    if due or other or changes:
        with writing(engine) as session:
            one_at_a_time(session, LOCK)
            made = _apply(session, rules, now)
        changes += made
        for change_ in made:
            if change_.kind in _COUNTED:
                metrics.offers.labels(change_.kind).inc()
    return tuple(changes)


def _due(session: Session, rules: QueueRules, now: datetime) -> Decisions:
    entries = current(session)
    return decide(entries, seats(session, entries), rules, now)


def _gone(session: Session) -> list[str]:
    """Conversations that are over while their entry is not: a process died in between."""
    query = (
        select(HandoffEntry.conversation_id)
        .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
        .where(HandoffEntry.state.in_(ACTIVE), Conversation.ended_at.is_not(None))
    )
    return sorted(set(session.scalars(query)))


def _left(engine: Engine, conversation: str, now: datetime, rules: QueueRules) -> list[Change]:
    with writing(engine) as session:
        talk = session.get(Conversation, conversation)
        if not leave(session, conversation, now, rules):
            return []
        if talk is not None:
            talk.state = "ended"
    return [Change("abandoned", "", conversation, "")]


def _returned(engine: Engine, entry: Entry, now: datetime, rules: QueueRules) -> list[Change]:
    with writing(engine) as session:
        row = lock_entry(session, entry.handoff)
        agent = session.get(Agent, entry.agent, populate_existing=True)
        seat = next((s for s in seats(session, ()) if s.login == entry.agent), None)
        is_here = agent is not None and seat is not None and is_present(seat, rules, now)
        if row.state != "connected" or row.agent != entry.agent or is_here:
            return []
        put_back(session, row, "vanished", now, front=True, event="returned")
        talk = session.get(Conversation, row.conversation_id)
        if talk is not None:
            talk.state = "waiting"
    return [Change("returned", entry.handoff, entry.conversation, entry.agent)]


def _apply(session: Session, rules: QueueRules, now: datetime) -> list[Change]:
    entries = current(session)
    due = decide(entries, seats(session, entries), rules, now)
    changes = _take_away(session, due, now, rules)
    changes += _agents(session, due, now)
    for match in due.matches:
        changes.append(
            _offer(session, row_of(session, match.entry.handoff), match.agent, now, rules)
        )
    changes += _alarms(session, due, now)
    for callback in reopen(session, now, rules):
        changes.append(Change("reopened", callback.handoff_id, callback.conversation_id))
    return changes + _late_callbacks(session, now)


def _take_away(
    session: Session,
    due: Decisions,
    now: datetime,
    rules: QueueRules,
) -> list[Change]:
    """Offers and ringing telephones of those who do not take them."""
    changes = []
    for kind, entries, outcome in (
        ("lapsed", due.lapsed, "lapsed"),
        ("lapsed", due.stuck, "phone_failed"),
        ("vanished", due.vanished, "vanished"),
    ):
        for entry in entries:
            front = outcome != "lapsed"
            put_back(session, row_of(session, entry.handoff), outcome, now, front=front, event=kind)
            if kind == "lapsed":
                not_there(session, entry.agent, now, rules)
            changes.append(Change(kind, entry.handoff, entry.conversation, entry.agent))
    return changes


def _agents(session: Session, due: Decisions, now: datetime) -> list[Change]:
    changes = []
    for entry in due.wrapped:
        row = row_of(session, entry.handoff)
        change(session, row, "finished", now, data={"result": entry.result}, state="done")
        changes.append(Change("done", entry.handoff, entry.conversation, entry.agent))
    for login in due.ready:
        agent = agent_row(session, login)
        set_agent(agent, agent.next_status or "online", now)
        agent.next_status = ""
        changes.append(Change("ready", agent=login))
    for login in due.signed_off:
        set_agent(agent_row(session, login), "offline", now)
        changes.append(Change("signed_off", agent=login))
    return changes


def _offer(
    session: Session, row: HandoffEntry, agent: str, now: datetime, rules: QueueRules
) -> Change:
    change(
        session, row, "offered", now, data={"agent": agent}, state="offered", agent=agent,
        offer=f"{row.id}@{row.edition + 1}", offer_until=now + timedelta(seconds=rules.offer_s),
    )  # fmt: skip
    return Change("offered", row.id, row.conversation_id, agent)


def _alarms(session: Session, due: Decisions, now: datetime) -> list[Change]:
    """Who waits longer than the goal is shown to people; the longest waiting first."""
    late = sorted(due.overdue, key=lambda entry: entry.created_at)[:_ALARMS_AT_ONCE]
    if not late:
        return []
    found = _numbers(session, (entry.order for entry in late))
    raise_alarms(session, [_alarm(entry, found.get(entry.order, ""), now) for entry in late], now)
    for entry in late:
        row_of(session, entry.handoff).alarmed_at = now
    return [Change("alarmed", entry.handoff, entry.conversation) for entry in late]


def _alarm(entry: Entry, number: str, now: datetime) -> NewAlarm:
    who = "来电" if entry.is_call else "在线对话"
    text = f"{who}已等待{_span(entry.waited_s(now))}，还没有坐席接起"
    kind = "danger_waiting" if entry.urgency == "danger" else "answer_overdue"
    return NewAlarm(alarm_key(entry.handoff, entry.urgency), kind, number, text)


def _span(seconds: float) -> str:
    """As people say it: seconds, then minutes."""
    if seconds < _A_MINUTE_OR_TWO:
        return f"{seconds:.0f}秒"
    return f"{seconds // 60:.0f}分钟"


def _numbers(session: Session, orders: Iterable[str]) -> dict[str, str]:
    query = select(WorkOrder.id, WorkOrder.number).where(WorkOrder.id.in_(set(orders)))
    return {row.id: row.number for row in session.execute(query)}


def _callbacks_due(session: Session, rules: QueueRules, now: datetime) -> bool:
    before = now - timedelta(seconds=rules.callbacks.taken_s)
    stale = select(Callback.id).where(Callback.state == "taken", Callback.changed_at <= before)
    return session.scalar(stale.limit(1)) is not None or bool(_late(session, now))


def _late(session: Session, now: datetime) -> list[Callback]:
    """Call-backs that are overdue, and nobody was shown that yet."""
    late = session.scalars(
        select(Callback).where(Callback.state.in_(UNDONE), Callback.due_at < now)
    ).all()
    keys = [_late_key(row) for row in late]
    known = set(session.scalars(select(Alarm.key).where(Alarm.key.in_(keys)))) if keys else set()
    return [row for row in late if _late_key(row) not in known][:_ALARMS_AT_ONCE]


def _late_key(row: Callback) -> str:
    return f"callback:{row.id}"


def _late_callbacks(session: Session, now: datetime) -> list[Change]:
    late = _late(session, now)
    if not late:
        return []
    found = _numbers(session, (row.order_id for row in late))
    text = "回拨已经到期，还没有完成"
    raise_alarms(
        session,
        [NewAlarm(_late_key(row), "callback_overdue", found[row.order_id], text) for row in late],
        now,
    )
    return [Change("alarmed", row.handoff_id, row.conversation_id) for row in late]
