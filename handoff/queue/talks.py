"""A talk with a person: accepted, connected, passed on, given back, over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue import metrics
from handoff.queue.assign import is_present
from handoff.queue.callbacks import call_back, met
from handoff.queue.model import ACTIVE, OPEN, Entry, QueueError
from handoff.queue.people import after_talk, not_there
from handoff.queue.rows import (
    LOCK,
    change,
    entry_of,
    is_agent,
    lock_conversation,
    lock_entry,
    newest,
    put_back,
    seats,
)
from handoff.queue.rows import note as _note
from store.engine import writing
from store.locks import one_at_a_time
from store.tables import Alarm, Conversation, HandoffEntry

_NOT_THEIRS = frozenset(
    {
        "caller_gone",
        "call_unknown",
        "in_progress",
        "node_lost",
        "redis_lost",
        "no_answer_from_phone",
    }
)
"""Causes by which no telephone of an agent's was even rung, or its caller hung up meanwhile."""


def connected(engine: Engine, handoff: str, now: datetime, *, agent: str = "") -> Entry:
    """Citizen and person talk. ``agent``: who it is, where the queue did not offer it to them.

    Again is harmless. Whoever talks with the citizen has them, also if they were offered to another
    meanwhile. Raises :class:`QueueError` ``entry_unknown``; ``entry_changed`` where the citizen is
    gone, or talks with somebody else than ``agent``: that leg is to be hung up.
    """
    with writing(engine) as session:
        row = lock_entry(session, handoff)
        talks_with_another = row.state == "connected" and row.agent != agent
        if row.state not in ACTIVE or (agent and talks_with_another):
            raise QueueError("entry_changed")
        _connect(session, row, now, agent)
        return entry_of(row)


def connect(session: Session, conversation: str, now: datetime, *, agent: str = "") -> None:
    """As :func:`connected`, in the transaction of whoever tells that a person is on the line.

    The conversation's state becomes agent, whether or not it stood in the queue.
    """
    talk = lock_conversation(session, conversation)
    one_at_a_time(session, LOCK)
    row = newest(session, conversation, ACTIVE)
    if row is not None:
        _connect(session, row, now, agent)
    elif talk is not None:
        talk.state = "agent"


def _connect(session: Session, row: HandoffEntry, now: datetime, agent: str) -> None:
    talk = session.get(Conversation, row.conversation_id)
    if talk is not None:
        talk.state = "agent"
    if row.state == "connected":
        return
    who = agent or (row.agent if row.state == "accepted" else "")
    change(
        session, row, "connected", now, data={"agent": who}, state="connected", agent=who,
        offer="", offer_until=None, wanted_agent="", front=False,
        accepted_at=row.accepted_at or now, connected_at=row.connected_at or now,
    )  # fmt: skip
    answered(session, row, now)
    if talk is not None and row.channel == PHONE:
        met(session, talk.citizen, now)


def answered(session: Session, row: HandoffEntry, now: datetime) -> None:
    """Nobody has to look after an alarm of somebody who waits no longer."""
    session.execute(
        update(Alarm)
        .where(Alarm.key.in_((alarm_key(row.id), alarm_key(row.id, "danger"))))
        .where(Alarm.seen_at.is_(None))
        .values(seen_at=now, seen_by="system")
        .execution_options(synchronize_session=False)
    )


def alarm_key(handoff: str, urgency: str = "normal") -> str:
    """The key of the alarm that somebody waits too long; danger has one of its own."""
    return f"danger:{handoff}" if urgency == "danger" else f"answer:{handoff}"


def phone_failed(
    engine: Engine, handoff: str, cause: str, now: datetime, rules: QueueRules
) -> None:
    """The agent's telephone did not answer: the citizen is the first to be offered to the next.

    ``cause`` is a stable code (busy, no_answer, …); the agent is online still where it was none of
    theirs. Nothing happens where nobody's telephone rings.

    Raises :class:`QueueError` ``entry_unknown``.
    """
    with writing(engine) as session:
        row = lock_entry(session, handoff)
        if row.state != "accepted":
            return
        agent = row.agent
        put_back(session, row, "phone_failed", now, front=True, event="not_connected",
                 data={"cause": cause})  # fmt: skip
        if cause not in _NOT_THEIRS:
            not_there(session, agent, now, rules)
    metrics.offers.labels("phone_failed").inc()


def finish(
    engine: Engine,
    handoff: str,
    login: str,
    result: str,
    note: str,
    now: datetime,
    rules: QueueRules,
) -> Entry:
    """The talk is over: ``result`` is one of the rules' codes, '' none; ``note`` the agent's words.

    After the citizen left, and also when wrap-up ended without a result, it can still be said.
    Raises :class:`QueueError` ``entry_unknown``, ``not_yours``, ``entry_changed``,
    ``result_unknown``.
    """
    if result and result not in {each.code for each in rules.results}:
        raise QueueError("result_unknown")
    with writing(engine) as session:
        row = _mine(session, handoff, login, ("connected", "wrapup", "done"))
        if row.state == "done" and row.result:
            if row.result == result:
                return entry_of(row)
            raise QueueError("entry_changed")
        was_connected = row.state == "connected"
        change(
            session, row, "finished", now, actor=login, text=note, data={"result": result},
            state="done", result=result, note=note or row.note, ended_at=row.ended_at or now,
        )  # fmt: skip
        if was_connected:
            _hand_to_bot(session, row)
            after_talk(session, login, now, wrapup_s=rules.wrapup_s(row.channel))
        return entry_of(row)


def transfer(
    engine: Engine,
    handoff: str,
    login: str,
    *,
    to_agent: str = "",
    to_skill: str = "",
    note: str = "",
    now: datetime,
    rules: QueueRules,
) -> Entry:
    """Pass a citizen on to another agent, or to whoever has a skill; they are the next.

    The one agent is waited for ``rules.wanted_s``. Raises :class:`QueueError` ``entry_unknown``,
    ``not_yours``, ``entry_changed``, ``target_unknown``, ``not_staffed`` (they are not there).
    """
    with writing(engine) as session:
        row = _mine(session, handoff, login, ("connected",))
        _check_target(session, login, to_agent, to_skill, now, rules)
        skills = [to_skill] if to_skill else list(row.skills)
        put_back(session, row, "transferred", now, front=True, event="passed_on",
                 data={"to_agent": to_agent, "to_skill": to_skill})  # fmt: skip
        row.wanted_agent, row.skills = to_agent, skills
        row.note = note or row.note
        goal = timedelta(seconds=rules.goal_s(row.channel, row.urgency))
        row.due_at, row.alarmed_at = now + goal, None
        if note:
            _note(session, row, "note", now, actor=login, text=note)
        talk = session.get(Conversation, row.conversation_id)
        if talk is not None:
            talk.state = "waiting"
        after_talk(session, login, now, wrapup_s=rules.wrapup_s(row.channel))
        return entry_of(row)


def give_back(engine: Engine, handoff: str, login: str, word: str, now: datetime) -> Entry:
    """The bot has the citizen again; ``word`` says what to do. Raises :class:`QueueError`
    ``entry_unknown``, ``not_yours``, ``entry_changed``."""
    with writing(engine) as session:
        row = _mine(session, handoff, login, ("connected", "bot"))
        if row.state == "connected":
            change(session, row, "given_back", now, actor=login, text=word, state="bot",
                   ended_at=now)  # fmt: skip
            _hand_to_bot(session, row)
            after_talk(session, login, now, wrapup_s=0)
        return entry_of(row)


def abandoned(engine: Engine, conversation: str, now: datetime, rules: QueueRules) -> None:
    """The citizen is gone. Again is harmless."""
    with writing(engine) as session:
        leave(session, conversation, now, rules)


def leave(session: Session, conversation: str, now: datetime, rules: QueueRules) -> bool:
    """As :func:`abandoned`, in the transaction that ends the conversation; True if that changed it.

    Who still waited is called back (a call with a number), whoever talked with them gets wrap-up.
    The conversation's own state is the caller's to set: ended.
    """
    talk = lock_conversation(session, conversation)
    one_at_a_time(session, LOCK)
    row = newest(session, conversation, ACTIVE)
    if row is None:
        return False
    if row.state == "connected":
        _citizen_left(session, row, now, rules)
        return True
    change(session, row, "abandoned", now, data={"state": row.state}, state="abandoned",
           ended_at=now, agent="", offer="", offer_until=None)  # fmt: skip
    answered(session, row, now)
    if row.channel == PHONE and talk is not None:
        call_back(session, row, talk.citizen, "abandoned", now, rules)
    return True


def part(session: Session, conversation: str, now: datetime, rules: QueueRules) -> None:
    """The person is gone and the citizen still there, in the caller's transaction: the bot has
    them, and the person (if of a desk) wrap-up. Nothing happens to who waits, or is gone.
    """
    talk = lock_conversation(session, conversation)
    one_at_a_time(session, LOCK)
    row = newest(session, conversation, ("connected",))
    if row is not None:
        _citizen_left(session, row, now, rules, event="parted")
    if talk is not None and talk.state == "agent":
        talk.state, talk.misses, talk.silences = "bot", 0, 0


def _citizen_left(
    session: Session,
    row: HandoffEntry,
    now: datetime,
    rules: QueueRules,
    event: str = "citizen_left",
) -> None:
    if not row.agent:  # somebody of the hunt group: no desk, nothing to write up
        change(session, row, event, now, state="done", ended_at=now)
        return
    change(session, row, event, now, state="wrapup", ended_at=now)
    after_talk(session, row.agent, now, wrapup_s=rules.wrapup_s(row.channel))


def _mine(session: Session, handoff: str, login: str, states: tuple[str, ...]) -> HandoffEntry:
    row = lock_entry(session, handoff)
    if row.agent != login:
        raise QueueError("not_yours" if row.agent or row.state in OPEN else "entry_changed")
    if row.state not in states:
        raise QueueError("entry_changed")
    return row


def _check_target(
    session: Session, login: str, to_agent: str, to_skill: str, now: datetime, rules: QueueRules
) -> None:
    if bool(to_agent) == bool(to_skill) or to_agent == login:
        raise QueueError("target_unknown")
    known = seats(session, ())
    if to_agent:
        there = next((seat for seat in known if seat.login == to_agent), None)
        if there is None and not is_agent(session, to_agent):
            raise QueueError("target_unknown")
        if there is None or not is_present(there, rules, now):
            raise QueueError("not_staffed")
        return
    skills = {skill.name for skill in rules.skills} | {s for seat in known for s in seat.skills}
    if to_skill not in skills:
        raise QueueError("target_unknown")


def _hand_to_bot(session: Session, row: HandoffEntry) -> None:
    """Of a call the telephone tells when the last person has left it: 110 may be there still."""
    if row.channel == PHONE:
        return
    talk = session.get(Conversation, row.conversation_id)
    if talk is not None and talk.ended_at is None:
        talk.state, talk.misses, talk.silences = "bot", 0, 0
