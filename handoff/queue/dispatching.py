"""Whatever is due in the queue is done, by whichever process looks first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.queue import QueueRules
from handoff.alarms import raise_alarm
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
    current_rows,
    entry_of,
    lock_entry,
    put_back,
    seats,
    set_agent,
)
from handoff.queue.talks import alarm_key, leave
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.tables import Agent, Alarm, Callback, Conversation, HandoffEntry, WorkOrder

_ALARMS_AT_ONCE = 20
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
    entries = [entry_of(row) for row in current_rows(session)]
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
    rows = {row.id: row for row in current_rows(session)}
    entries = [entry_of(row) for row in rows.values()]
    due = decide(entries, seats(session, entries), rules, now)
    changes = _take_away(session, rows, due, now, rules)
    changes += _agents(session, rows, due, now)
    for match in due.matches:
        changes.append(_offer(session, rows[match.entry.handoff], match.agent, now, rules))
    changes += _alarms(session, due, now)
    for callback in reopen(session, now, rules):
        changes.append(Change("reopened", callback.handoff_id, callback.conversation_id))
    return changes + _late_callbacks(session, now)


def _take_away(
    session: Session,
    rows: dict[str, HandoffEntry],
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
            put_back(session, rows[entry.handoff], outcome, now, front=front, event=kind)
            if kind == "lapsed":
                not_there(session, entry.agent, now, rules)
            changes.append(Change(kind, entry.handoff, entry.conversation, entry.agent))
    return changes


def _agents(
    session: Session, rows: dict[str, HandoffEntry], due: Decisions, now: datetime
) -> list[Change]:
    changes = []
    for entry in due.wrapped:
        change(session, rows[entry.handoff], "finished", now, data={"result": entry.result},
               state="done")  # fmt: skip
        changes.append(Change("done", entry.handoff, entry.conversation, entry.agent))
    for login in due.ready:
        row = agent_row(session, login)
        set_agent(row, row.next_status or "online", now)
        row.next_status = ""
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
    changes = []
    for entry in late:
        row = session.get_one(HandoffEntry, entry.handoff)
        number = session.scalar(select(WorkOrder.number).where(WorkOrder.id == entry.order)) or ""
        row.alarmed_at = now
        who = "来电" if entry.is_call else "在线对话"
        text = f"{who}已等待 {int(entry.waited_s(now))} 秒，还没有坐席接起"
        kind = "danger_waiting" if entry.urgency == "danger" else "answer_overdue"
        raise_alarm(session, alarm_key(entry.handoff), kind, number, text, now)
        changes.append(Change("alarmed", entry.handoff, entry.conversation))
    return changes


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
    changes = []
    for row in _late(session, now):
        number = session.scalar(select(WorkOrder.number).where(WorkOrder.id == row.order_id)) or ""
        raise_alarm(session, _late_key(row), "callback_overdue", number,
                    "回拨已经到期，还没有完成", now)  # fmt: skip
        changes.append(Change("alarmed", row.handoff_id, row.conversation_id))
    return changes
