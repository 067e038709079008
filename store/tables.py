"""The tables. The database is the truth; nothing a citizen waits for lives elsewhere.

All times are aware and kept in UTC. Ids that travel are strings; ``seq`` orders turns.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Connection,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column

from store.types import SealedJson, SealedText, UtcDateTime


class Base(DeclarativeBase):
    """The one metadata that Alembic compares with the database."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        date: Date,
        float: Float,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: String(),
    }


class Staff(Base):
    """Somebody who signs in: agent, editor, approver, supervisor, administrator.

    ``subject`` is ``issuer#sub`` of the city's single sign-on. Sessions begun before ``valid_from``
    (a new password, switched off) are void; ``must_change``: the password was given by another.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[Any]] = mapped_column(default=list)
    skills: Mapped[list[Any]] = mapped_column(default=list)
    phone_uri: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)
    subject: Mapped[str | None] = mapped_column(String(500), unique=True)
    must_change: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[datetime | None]
    created_at: Mapped[datetime]


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
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("conversation_id", "heard", name="uq_turn_heard"),
        Index("ix_turn_conversation_seq", "conversation_id", "seq"),
        Index("ix_turn_decision_at", "decision", "at"),
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


class Matter(Base):
    """A matter (事项) as national practice describes services.

    ``questions`` and ``golden``: aspect → what citizens say for it; the search learns from the
    former, the publish gate asks the latter. ``pending``: what an editor changed of these fields
    and has not published. ``edition`` counts changes, so that nobody overwrites what they have
    not seen.
    """

    __tablename__ = "matter"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    department: Mapped[str]
    merged_line: Mapped[str] = mapped_column(default="")
    aliases: Mapped[list[Any]] = mapped_column(default=list)
    phrasings: Mapped[list[Any]] = mapped_column(default=list)
    questions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    golden: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pending: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    edition: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[str] = mapped_column(default="")


class Answer(Base):
    """One version of what may be said on one aspect of a matter in one region.

    ``state``: draft, checked, approved, published, retired. Only a published one inside
    ``valid_from`` … ``valid_to`` (city days, inclusive) is ever said. ``sample`` marks made-up
    local figures. ``edition`` counts changes of the row (see :class:`Matter`); ``note`` says why
    this version was written; ``release_id`` is the publication that made it said.
    """

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("matter_code", "aspect", "region", "version", name="uq_answer_version"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_code: Mapped[str] = mapped_column(ForeignKey("matter.code"), index=True)
    aspect: Mapped[str]
    region: Mapped[str] = mapped_column(default="city")
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(default="draft", index=True)
    text: Mapped[str] = mapped_column(Text)
    speech: Mapped[str] = mapped_column(Text, default="")
    document: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(default="")
    sample: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    edition: Mapped[int] = mapped_column(default=1)
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(default="")
    checked_by: Mapped[str] = mapped_column(default="")
    approved_by: Mapped[str] = mapped_column(default="")
    release_id: Mapped[int | None] = mapped_column(ForeignKey("release.id"), index=True)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(default="")


class AnswerEvent(Base):
    """A step in an answer version's life: who, when, why, from which state to which."""

    __tablename__ = "answer_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answer.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    from_state: Mapped[str] = mapped_column(default="")
    to_state: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Release(Base):
    """One publication: everything that became live (or ceased to be) in one transaction.

    ``result`` is what the publish gate found; ``changes`` what is needed to take it back, one step.
    """

    __tablename__ = "release"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    why: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(default="")


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


class LearningDone(Base):
    """A citizen's turn that an editor has dealt with: ``state`` added or dismissed.

    Holds none of the citizen's words; ``turn_seq`` points at them while they are kept.
    """

    __tablename__ = "learning_done"

    id: Mapped[int] = mapped_column(primary_key=True)
    turn_seq: Mapped[int] = mapped_column(unique=True)
    state: Mapped[str]
    matter: Mapped[str] = mapped_column(default="")
    aspect: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime]


class KnowledgeRevision(Base):
    """One row, ``id`` 1; ``revision`` grows whenever matters or published answers change."""

    __tablename__ = "knowledge_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    changed_at: Mapped[datetime]


class WorkOrder(Base):
    """A work order (工单). ``key`` makes writing idempotent; ``number`` is gapless per day.

    ``erased_at``: its title and fields are gone, by rule or on a citizen's wish.
    """

    __tablename__ = "work_order"

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    channel: Mapped[str]
    line: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    urgency: Mapped[str]
    state: Mapped[str] = mapped_column(default="受理")
    title: Mapped[str] = mapped_column(SealedText)
    matter: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    erased_at: Mapped[datetime | None]


class WorkOrderField(Base):
    """One field of an order with its provenance; ``former`` keeps values that were replaced.

    ``mark`` finds a phone number where ``value`` is sealed (``store.marks``).
    """

    __tablename__ = "work_order_field"
    __table_args__ = (UniqueConstraint("order_id", "name", name="uq_work_order_field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"))
    name: Mapped[str]
    value: Mapped[str] = mapped_column(SealedText)
    mark: Mapped[str] = mapped_column(default="", index=True)
    turn: Mapped[str] = mapped_column(default="")
    quote: Mapped[str] = mapped_column(SealedText, default="")
    at: Mapped[datetime]
    confidence: Mapped[float] = mapped_column(default=1.0)
    rule: Mapped[str] = mapped_column(default="")
    confirmed_by: Mapped[str] = mapped_column(default="")
    former: Mapped[list[Any]] = mapped_column(SealedJson, default=list)


class OrderEvent(Base):
    """A step in an order's life: who, when, from which state to which."""

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    from_state: Mapped[str] = mapped_column(default="")
    to_state: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class HandoffEntry(Base):
    """One citizen waiting for a person: an entry of the queue."""

    __tablename__ = "handoff"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"))
    reason: Mapped[str]
    urgency: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    skill: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class OrderNumber(Base):
    """The last number given on a city day."""

    __tablename__ = "order_number"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Outbox(Base):
    """What must still be told to others, written in the transaction that makes it true."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    topic: Mapped[str] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Audit(Base):
    """Who saw or changed what. ``chain`` ties each line to the one before (``store.audit``)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str] = mapped_column(default="", index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    chain: Mapped[str] = mapped_column(default="")


class DataKey(Base):
    """A key that something here is sealed with; ``id`` as ``sealing.keys.Key`` has it."""

    __tablename__ = "data_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    first_used_at: Mapped[datetime]


PHONE = "phone"
"""The field of an order whose value is a citizen's number, and is marked."""


@event.listens_for(Conversation, "before_insert")
@event.listens_for(Conversation, "before_update")
def _mark_citizen(_: Mapper[Any], connection: Connection, row: Conversation) -> None:
    """However a conversation is written, its citizen can be found."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.citizen_mark = marker.mark(row.citizen or "")


@event.listens_for(WorkOrderField, "before_insert")
@event.listens_for(WorkOrderField, "before_update")
def _mark_phone(_: Mapper[Any], connection: Connection, row: WorkOrderField) -> None:
    """However a phone number gets into an order, or is corrected, it can be found."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.mark = marker.mark(row.value or "") if row.name == PHONE else ""
