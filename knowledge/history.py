"""What was said when, by whom, and what differs between two wordings; what ends soon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from knowledge.editing import AnswerKey, Step, Version
from knowledge.versionrows import steps_of, version_of
from store.tables import Answer, Matter

Kind = Literal["equal", "insert", "delete", "replace"]
WARN_DAYS = 30
_WORDS = re.compile(r"[A-Za-z]+|[0-9]+(?:\.[0-9]+)?|.", re.DOTALL)


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
    """What turns ``old`` into ``new``, in order, as they are read: by words where there are any
    (figures, Latin letters), else by characters.
    """
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return tuple(Piece(kind, "".join(a[i:j]), "".join(b[k:m])) for kind, i, j, k, m in steps)


def expiring(session: Session, today: date, days: int = WARN_DAYS) -> tuple[Ending, ...]:
    """Published answers whose last day lies within ``days``, soonest first.

    Those that another published version follows without a gap are not among them, nor those that
    are over already.
    """
    last = today + timedelta(days=days)
    rows = session.execute(
        select(Answer, Matter.name)
        .join(Matter, Matter.code == Answer.matter_code)
        .where(Answer.state == "published", Answer.valid_to >= today, Answer.valid_to <= last)
        .order_by(Answer.valid_to, Answer.matter_code, Answer.aspect, Answer.region)
    )
    return tuple(
        Ending(version_of(session, row), name, (row.valid_to - today).days)
        for row, name in rows
        if row.valid_to is not None and not _followed(session, row, row.valid_to)
    )


def _followed(session: Session, row: Answer, last: date) -> bool:
    """Whether another published version is said on the day after ``last``."""
    day = last + timedelta(days=1)
    found = session.scalar(
        select(Answer.id)
        .where(Answer.matter_code == row.matter_code, Answer.aspect == row.aspect)
        .where(Answer.region == row.region, Answer.state == "published")
        .where(Answer.valid_from <= day, or_(Answer.valid_to.is_(None), Answer.valid_to >= day))
        .limit(1)
    )
    return found is not None
