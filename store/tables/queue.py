"""Citizens who wait for a person, the people who take them, and whom to call back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Text, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from store.tables.base import Base
from store.types import SealedText


class HandoffEntry(Base):
    """One citizen on the way to a person: an entry of the queue, and what became of it.

    ``state``: waiting, offered (to ``agent`` until ``offer_until``), accepted (their telephone
    rings), connected, wrapup, done, abandoned (the citizen left), callback, bot (given back).
    ``skills`` are those wanted; ``tried`` lists who was offered it and what came of that; ``front``
    puts whom an agent lost back before the others. ``due_at`` is when it must have been answered;
    ``estimate_s`` what the citizen was told of the wait, at ``told_at``. ``result`` is the code it
    ended with; ``edition`` counts changes, so that nobody acts on a stale page.
    """

    __tablename__ = "handoff"
    __table_args__ = (Index("ix_handoff_agent_state", "agent", "state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"))
    reason: Mapped[str]
    urgency: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    skill: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    skills: Mapped[list[Any]] = mapped_column(default=list)
    priority: Mapped[int] = mapped_column(default=0)
    front: Mapped[bool] = mapped_column(default=False)
    wanted_agent: Mapped[str] = mapped_column(default="")
    offer: Mapped[str] = mapped_column(default="")
    offer_until: Mapped[datetime | None]
    tried: Mapped[list[Any]] = mapped_column(default=list)
    due_at: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    estimate_s: Mapped[int | None]
    told_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    connected_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(SealedText, default="")
    edition: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]


class Agent(Base):
    """Where somebody of the staff stands: ``status`` offline, online, busy, break or wrapup.

    ``seen_at`` is renewed while their desk is open; who was not seen for a while has vanished,
    whatever ``status`` says. ``wrap_until`` ends the time after a talk; ``idle_since`` tells who
    has waited longest for work; ``next_status`` is taken when what they do now is over; ``reason``
    is why they are busy or on a break, one of the city's. ``desk``: the window that was opened
    last, whichever process has it; one before it closes.
    """

    __tablename__ = "agent"

    login: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="offline", index=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    idle_since: Mapped[datetime]
    wrap_until: Mapped[datetime | None]
    next_status: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    desk: Mapped[str] = mapped_column(default="")


class Callback(Base):
    """Somebody who is to be called back; one open entry a number (``mark``).

    ``reason``: abandoned, asked, nobody. ``state``: open, taken, done, failed. ``calls`` counts how
    often the number tried meanwhile, ``tries`` how often it was called back in vain.
    """

    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(SealedText)
    mark: Mapped[str] = mapped_column(default="", index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"))
    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoff.id"))
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="open", index=True)
    agent: Mapped[str] = mapped_column(default="")
    calls: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(SealedText, default="")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Survey(Base):
    """What a citizen thought of it: ``score`` satisfied, fair or dissatisfied ('' not answered).

    ``how``: keys, voice, button, visit (a return visit). ``about``: agent or bot. ``solved`` is
    None where nobody asked.
    """

    __tablename__ = "survey"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    order_id: Mapped[str | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    about: Mapped[str] = mapped_column(default="agent")
    agent: Mapped[str] = mapped_column(default="")
    how: Mapped[str] = mapped_column(default="")
    score: Mapped[str] = mapped_column(default="")
    solved: Mapped[bool | None]
    why: Mapped[str] = mapped_column(SealedText, default="")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Alarm(Base):
    """Something that a person must see: ``kind`` is a stable code, ``object`` what it is about.

    Once for each ``key``; open until somebody has ``seen_by``. ``text`` holds no personal data.
    """

    __tablename__ = "alarm"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    object: Mapped[str] = mapped_column(default="", index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str] = mapped_column(default="")


@event.listens_for(Callback, "before_insert")
@event.listens_for(Callback, "before_update")
def _mark_phone(_: Mapper[Any], connection: Connection, row: Callback) -> None:
    """One number is called back once, also where it is sealed."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.mark = marker.mark(row.phone or "")
