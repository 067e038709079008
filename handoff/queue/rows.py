"""Rows of the queue: read as plain values, changed with their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.queue.model import ACTIVE, OPEN, Entry, QueueError, Seat, Tried
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import (
    Agent,
    Callback,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Staff,
    WorkOrder,
)

LOCK = "queue"
"""Whatever changes the queue does so alone. Taken after a conversation's row, never before it."""
_NOT_OVER = (*ACTIVE, "wrapup")
_HEAD = ("id", "conversation_id", "order_id", "channel", "reason", "urgency", "state", "created_at",
         "changed_at")  # fmt: skip
_MIDDLE = ("priority", "front", "agent", "wanted_agent", "offer", "offer_until")
_TAIL = ("due_at", "alarmed_at", "estimate_s", "told_at", "accepted_at", "connected_at", "ended_at",
         "result", "edition")  # fmt: skip
_COLUMNS = [getattr(HandoffEntry, name) for name in (*_HEAD, "skills", *_MIDDLE, "tried", *_TAIL)]
_SKILLS, _TRIED = len(_HEAD), len(_HEAD) + 1 + len(_MIDDLE)
_ROLES = frozenset({"agent", "supervisor"})


def lock_entry(session: Session, handoff: str) -> HandoffEntry:
    """The entry and its conversation, for this transaction alone.

    Raises :class:`QueueError` ``entry_unknown``.
    """
    conversation = session.scalar(
        select(HandoffEntry.conversation_id).where(HandoffEntry.id == handoff)
    )
    if conversation is None:
        raise QueueError("entry_unknown")
    lock_conversation(session, conversation)
    one_at_a_time(session, LOCK)
    return session.get_one(
        HandoffEntry, handoff, with_for_update=FOR_CHANGE, populate_existing=True
    )


def lock_conversation(session: Session, conversation: str) -> Conversation | None:
    """The conversation, for this transaction alone."""
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)


def newest(session: Session, conversation: str, states: Iterable[str]) -> HandoffEntry | None:
    """The conversation's newest entry in one of ``states``."""
    return session.scalar(
        select(HandoffEntry)
        .where(HandoffEntry.conversation_id == conversation, HandoffEntry.state.in_(states))
        .order_by(HandoffEntry.created_at.desc(), HandoffEntry.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def change(
    session: Session,
    row: HandoffEntry,
    event: str,
    now: datetime,
    *,
    actor: str = "system",
    text: str = "",
    data: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Set ``values``, count the edition and write it into the order's history."""
    for name, value in values.items():
        setattr(row, name, value)
    row.edition += 1
    row.changed_at = now
    if event == "connected" and row.agent:  # whoever has the citizen has their order
        session.get_one(WorkOrder, row.order_id).agent = row.agent
    note(session, row, event, now, actor=actor, text=text, data=data)


def note(
    session: Session,
    row: HandoffEntry,
    event: str,
    now: datetime,
    *,
    actor: str = "system",
    text: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """One line of the order's history; ``data`` holds no personal data."""
    session.add(
        OrderEvent(order_id=row.order_id, at=now, actor=actor or "system", event=event, text=text,
                   data={"handoff": row.id, **(data or {})}),
    )  # fmt: skip


def put_back(
    session: Session,
    row: HandoffEntry,
    outcome: str,
    now: datetime,
    *,
    front: bool,
    event: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """The citizen waits again; whose the entry was is not offered it at once."""
    agent = row.agent
    tried = asdict(Tried(agent, outcome, now)) | {"at": now.isoformat()}
    change(
        session, row, event or outcome, now, data={"agent": agent, **(data or {})},
        state="waiting", agent="", offer="", offer_until=None, accepted_at=None,
        front=row.front or front, tried=[*row.tried, tried],
    )  # fmt: skip


def entry_of(row: HandoffEntry) -> Entry:
    """The row as a plain value."""
    return _entry([getattr(row, column.key) for column in _COLUMNS])


def _entry(values: Sequence[Any]) -> Entry:
    """Of the columns' values, which stand in the order of the entry's own."""
    known: list[Any] = list(values)
    known[_SKILLS] = tuple(known[_SKILLS])
    known[_TRIED] = tuple(_tried(item) for item in known[_TRIED])
    return Entry(*known)


def _tried(item: dict[str, str]) -> Tried:
    return Tried(item["agent"], item["outcome"], datetime.fromisoformat(item["at"]))


def current(session: Session) -> list[Entry]:
    """Every entry that is not over; as columns: there may be many, and it is asked often."""
    query = select(*_COLUMNS).where(HandoffEntry.state.in_(_NOT_OVER))
    return [_entry(row) for row in session.execute(query)]


def row_of(session: Session, handoff: str) -> HandoffEntry:
    """The row of an entry that is there; whoever changes it holds the queue's lock."""
    return session.get_one(HandoffEntry, handoff)


def seats(session: Session, entries: Iterable[Entry]) -> list[Seat]:
    """Everybody who may take citizens and has ever signed in, with what they have in hand."""
    load = _load(entries)
    for login in session.scalars(select(Callback.agent).where(Callback.state == "taken")):
        load.setdefault(login, [0, 0, 0])[0] += 1
    query = (
        select(Agent, Staff.name, Staff.skills, Staff.phone_uri, Staff.capacity, Staff.roles)
        .join(Staff, Staff.login == Agent.login)
        .where(Staff.active, Agent.status != "offline")
        .order_by(Agent.login)
    )
    return [
        _seat(agent, name, skills, phone, capacity, load.get(agent.login, (0, 0, 0)))
        for agent, name, skills, phone, capacity, roles in session.execute(query)
        if _ROLES.intersection(roles)
    ]


def _load(entries: Iterable[Entry]) -> dict[str, list[int]]:
    """For each agent: calls, chats, open offers."""
    load: dict[str, list[int]] = {}
    for entry in entries:
        if not entry.agent or entry.state not in ACTIVE:
            continue
        counts = load.setdefault(entry.agent, [0, 0, 0])
        if entry.state in OPEN:
            counts[2] += 1
        if entry.state != "offered":
            counts[0 if entry.is_call else 1] += 1
    return load


def _seat(
    agent: Agent, name: str, skills: list[Any], phone: str, capacity: int,
    load: list[int] | tuple[int, int, int],
) -> Seat:  # fmt: skip
    calls, chats, offers = load
    return Seat(
        login=agent.login, name=name, status=agent.status, since=agent.since,
        seen_at=agent.seen_at, idle_since=agent.idle_since, wrap_until=agent.wrap_until,
        next_status=agent.next_status, skills=tuple(str(skill) for skill in skills),
        phone=bool(phone), capacity=capacity, calls=calls, chats=chats, offered=offers > 0,
    )  # fmt: skip


def is_agent(session: Session, login: str) -> bool:
    """Whether ``login`` works here and may take citizens."""
    row = session.execute(select(Staff.active, Staff.roles).where(Staff.login == login)).first()
    return row is not None and bool(row.active) and bool(_ROLES.intersection(row.roles))


def agent_row(session: Session, login: str) -> Agent:
    """Where ``login`` stands, locked; raises :class:`QueueError` ``agent_unknown``."""
    row = session.get(Agent, login, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise QueueError("agent_unknown")
    return row


def set_agent(row: Agent, status: str, now: datetime, reason: str = "") -> None:
    """Note a new status, and why; whoever comes online begins to be idle."""
    if row.status != status:
        row.status, row.since = status, now
    row.reason = reason
    if status != "wrapup":
        row.wrap_until = None
    if status == "online":
        row.idle_since = now
