"""What citizens and the front door said; ``seq`` orders turns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Integer, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from store.tables.base import Base
from store.types import SealedJson, SealedText


class Conversation(Base):
    """One call, or one chat with its reconnections.

    ``state``: bot, waiting (handed over, nobody yet), agent, ended. ``citizen`` is the caller's
    number or the chat's anonymous identity; ``context`` a dumped ``turns.context.Context``;
    ``slots`` the form as last known; ``misses`` counts misses in a row. ``citizen_mark`` finds a
    citizen where ``citizen`` is sealed (``store.marks``); ``erased_at``: what was said is gone.
    """

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    line: Mapped[str] = mapped_column(default="")
    region: Mapped[str] = mapped_column(default="")
    citizen: Mapped[str] = mapped_column(SealedText, default="")
    citizen_mark: Mapped[str] = mapped_column(default="", index=True)
    state: Mapped[str] = mapped_column(default="bot")
    context: Mapped[dict[str, Any]] = mapped_column(SealedJson, default=dict)
    slots: Mapped[list[Any]] = mapped_column(SealedJson, default=list)
    misses: Mapped[int] = mapped_column(default=0)
    silences: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class Turn(Base):
    """One thing said by anybody in a conversation; ``seq`` is the cursor of ``replies``.

    A citizen's turn carries ``heard`` (its ``Heard.id``, unique in the conversation); an answer to
    it the same id in ``in_reply_to``, its dumped reply, and, on the last one, ``last``.
    ``decision`` stands plainly beside the sealed ``understood``, to be counted and searched.
    ``audio_*`` is its place in the recording in ms; ``timings`` what the turn cost, by part, in ms.
    ``answer_by``: the process ``answerer`` has it until then, afterwards any may answer it; None
    where nobody has to any more.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("conversation_id", "heard", name="uq_turn_heard"),
        Index("ix_turn_conversation_seq", "conversation_id", "seq"),
        Index("ix_turn_decision_at", "decision", "at"),
        Index("ix_turn_answer_by", "answer_by"),
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    speaker: Mapped[str]
    kind: Mapped[str]
    heard: Mapped[str | None]
    in_reply_to: Mapped[str] = mapped_column(default="")
    last: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(SealedText, default="")
    confidence: Mapped[float] = mapped_column(default=1.0)
    alternatives: Mapped[list[Any]] = mapped_column(SealedJson, default=list)
    attachments: Mapped[list[Any]] = mapped_column(SealedJson, default=list)
    reply: Mapped[dict[str, Any]] = mapped_column(SealedJson, default=dict)
    understood: Mapped[dict[str, Any]] = mapped_column(SealedJson, default=dict)
    decision: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    recording: Mapped[str] = mapped_column(default="")
    audio_start_ms: Mapped[int | None]
    audio_end_ms: Mapped[int | None]
    timings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answer_by: Mapped[datetime | None]
    answerer: Mapped[str] = mapped_column(default="")


class Recording(Base):
    """A call's sound: ``path`` below the recordings folder; left caller, right front door.

    ``deleted_at``: the file was deleted by rule or on a citizen's wish.
    """

    __tablename__ = "recording"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    duration_ms: Mapped[int] = mapped_column(default=0)
    sample_rate: Mapped[int] = mapped_column(default=8000)
    channels: Mapped[int] = mapped_column(default=2)
    complete: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]


class Feedback(Base):
    """A citizen's thumb on one answer: ``value`` up or down; ``heard`` the turn it answered."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("conversation_id", "heard", name="uq_feedback_heard"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    heard: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    value: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


@event.listens_for(Conversation, "before_insert")
@event.listens_for(Conversation, "before_update")
def _mark_citizen(_: Mapper[Any], connection: Connection, row: Conversation) -> None:
    """However a conversation is written, its citizen can be found."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.citizen_mark = marker.mark(row.citizen or "")
