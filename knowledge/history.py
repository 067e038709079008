"""What was said when, by whom, and what differs between two wordings; what ends soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import AnswerKey, Step, Version
from knowledge.versionrows import steps_of, version_of
from store.tables import Answer

Kind = Literal["equal", "insert", "delete", "replace"]
WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Past:
    """A version with its steps, oldest step first."""

    version: Version
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of two texts: ``old`` is '' where it was inserted, ``new`` where deleted."""

    kind: Kind
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A published answer whose last day is near; ``days`` from today (0: today is the last)."""

    version: Version
    matter_name: str
    days: int


def history(session: Session, key: AnswerKey) -> tuple[Past, ...]:
    """All versions of an answer, newest first."""
    wanted = select(Answer).where(
        Answer.matter_code == key.matter, Answer.aspect == key.aspect, Answer.region == key.region
    )
    rows = session.scalars(wanted.order_by(Answer.version.desc()))
    return tuple(Past(version_of(session, row), steps_of(session, row.id)) for row in rows)


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """What turns ``old`` into ``new``, character by character, in order, as they are read."""
    raise NotImplementedError


def expiring(session: Session, today: date, days: int = WARN_DAYS) -> tuple[Ending, ...]:
    """Published answers whose last day lies within ``days``, soonest first.

    Those that another published version follows without a gap are not among them, nor those that
    are over already and have been replaced.
    """
    raise NotImplementedError
