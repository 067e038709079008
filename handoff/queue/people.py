"""Where the agents stand: status, signs of life, wrap-up, who is there for a channel."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue.assign import is_present
from handoff.queue.model import ACTIVE, STATUSES, QueueError, Seat
from handoff.queue.rows import (
    LOCK,
    agent_row,
    change,
    is_agent,
    lock_conversation,
    put_back,
    seats,
    set_agent,
)
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.tables import Agent, HandoffEntry


def set_status(
    engine: Engine, login: str, status: str, now: datetime, rules: QueueRules, *, reason: str = ""
) -> None:
    """An agent is online, busy, on a break or offline from now on; ``reason``: why, as the rules
    have it for that status, '' for none.

    Who leaves (anything but online) gives their open offer back to the front of the queue; who goes
    offline their chats too. Choosing online ends wrap-up. Raises :class:`QueueError`
    ``status_unknown``, ``reason_unknown``, ``agent_unknown``.
    """
    if status not in STATUSES:
        raise QueueError("status_unknown")
    if reason and reason not in next((r for s, r in rules.reasons.items() if s == status), ()):
        raise QueueError("reason_unknown")
    with writing(engine) as session:
        if not is_agent(session, login):
            raise QueueError("agent_unknown")
        _lock_chats(session, login)
        one_at_a_time(session, LOCK)
        row = _agent_or_new(session, login, now)
        row.seen_at, row.next_status = max(row.seen_at, now), ""
        if status == row.status:
            row.reason = reason
            return
        set_agent(row, status, now, reason)
        if status == "online":
            _close_wrapups(session, login, now)
        else:
            _give_up(session, login, now, chats=status == "offline")


def _agent_or_new(session: Session, login: str, now: datetime) -> Agent:
    row = session.get(Agent, login, populate_existing=True)
    if row is None:
        row = Agent(login=login, status="offline", since=now, seen_at=now, idle_since=now,
                    next_status="", reason="")  # fmt: skip
        session.add(row)
    return row


def seen(engine: Engine, logins: Collection[str], now: datetime) -> None:
    """The desks of ``logins`` are open: a sign of life for all desks of one process."""
    if not logins:
        return
    mark = (
        update(Agent)
        .where(Agent.login.in_(logins), Agent.seen_at < now)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
    with writing(engine) as session:
        session.execute(mark)


def open_desk(engine: Engine, login: str, desk: str, now: datetime) -> None:
    """The window ``desk`` (a random id) is the agent's from now on; one before it is not."""
    with writing(engine) as session:
        one_at_a_time(session, LOCK)
        row = _agent_or_new(session, login, now)
        row.desk = desk


def desks_of(engine: Engine, logins: Collection[str]) -> dict[str, str]:
    """The windows that were opened last, by login."""
    with reading(engine) as session:
        rows = session.execute(select(Agent.login, Agent.desk).where(Agent.login.in_(logins)))
        return {row.login: row.desk for row in rows}


def ready(engine: Engine, login: str, now: datetime) -> None:
    """Wrap-up is over: its talks are done, and the agent takes the next one. Raises ``QueueError``
    ``agent_unknown``."""
    with writing(engine) as session:
        one_at_a_time(session, LOCK)
        row = agent_row(session, login)
        row.seen_at = max(row.seen_at, now)
        _close_wrapups(session, login, now)
        if row.status == "wrapup":
            set_agent(row, row.next_status or "online", now)
            row.next_status = ""


def staffed(engine: Engine, channel: str, now: datetime, rules: QueueRules) -> bool:
    """Whether somebody is signed in who takes citizens of ``channel``, also if they talk now.

    Outside its hours nobody does. Where this is False calls go to the line's hunt group.
    """
    return any(seat.status in ("online", "wrapup") for seat in _there(engine, channel, now, rules))


def attended(engine: Engine, channel: str, now: datetime, rules: QueueRules) -> bool:
    """As :func:`staffed`, also by somebody who takes nobody now: busy, or on a break."""
    return bool(_there(engine, channel, now, rules))


def _there(engine: Engine, channel: str, now: datetime, rules: QueueRules) -> list[Seat]:
    """Who is at a desk and may take citizens of ``channel`` at all; nobody outside its hours."""
    if not rules.is_open(channel, now):
        return []
    with reading(engine) as session:
        known = seats(session, ())
    return [
        seat for seat in known
        if is_present(seat, rules, now)
        and seat.capacity > 0
        and (seat.phone or channel != PHONE)
    ]  # fmt: skip


def after_talk(session: Session, login: str, now: datetime, *, wrapup_s: int) -> None:
    """``login`` has one talk less: wrap-up of ``wrapup_s``, unless they have others or left."""
    session.flush()
    agent = session.get(Agent, login, populate_existing=True) if login else None
    if agent is None:
        return
    others = select(HandoffEntry.id).where(
        HandoffEntry.agent == login, HandoffEntry.state.in_(ACTIVE)
    )
    if session.scalar(others.limit(1)) is not None:
        return
    agent.idle_since = now
    if agent.status == "online" and wrapup_s:
        set_agent(agent, "wrapup", now)
        agent.wrap_until = now + timedelta(seconds=wrapup_s)


def not_there(session: Session, login: str, now: datetime, rules: QueueRules) -> None:
    """They did not take what was offered: no more is offered until they say they are there."""
    agent = session.get(Agent, login, populate_existing=True)
    if agent is not None and agent.status == "online" and rules.busy_after_lapse:
        set_agent(agent, "busy", now)


def _lock_chats(session: Session, login: str) -> None:
    mine = select(HandoffEntry.conversation_id).where(
        HandoffEntry.agent == login, HandoffEntry.state == "connected"
    )
    for conversation in sorted(session.scalars(mine)):
        lock_conversation(session, conversation)


def _give_up(session: Session, login: str, now: datetime, *, chats: bool) -> None:
    mine = select(HandoffEntry).where(
        HandoffEntry.agent == login, HandoffEntry.state.in_(("offered", "connected"))
    )
    for row in session.scalars(mine.execution_options(populate_existing=True)).all():
        if row.state == "offered":
            put_back(session, row, "away", now, front=True)
        elif chats and row.channel != PHONE:
            put_back(session, row, "away", now, front=True, event="returned")
            talk = lock_conversation(session, row.conversation_id)
            if talk is not None:
                talk.state = "waiting"


def _close_wrapups(session: Session, login: str, now: datetime) -> None:
    mine = select(HandoffEntry).where(HandoffEntry.agent == login, HandoffEntry.state == "wrapup")
    for row in session.scalars(mine.execution_options(populate_existing=True)).all():
        change(session, row, "finished", now, actor=login, data={"result": row.result},
               state="done")  # fmt: skip
