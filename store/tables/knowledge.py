"""What may be said, and how it came to be said."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


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
