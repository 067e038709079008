"""A talk as its agent follows it: what was said since they looked last. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select

from store.engine import reading
from store.tables import Turn
from web.transcript import TurnView, views

LIMIT = 500
"""A page that begins to watch gets at most so many turns, the latest ones."""
_WORDS = ("speech", "text", "choice")


@dataclass(frozen=True, slots=True)
class News:
    """What is new behind a cursor, oldest first; ``cursor`` stands behind it.

    ``heard``: how many of the new turns are the citizen's.
    """

    turns: tuple[TurnView, ...]
    cursor: int
    heard: int

    @property
    def said(self) -> TurnView | None:
        """The citizen's latest words among them."""
        words = (
            turn for turn in reversed(self.turns)
            if turn.speaker == "citizen" and turn.kind in _WORDS and turn.text
        )  # fmt: skip
        return next(words, None)


@dataclass(slots=True)
class Transcript:
    """One talk, read on and on from ``cursor``; what options are called is remembered."""

    conversation: str
    cursor: int = 0
    _labels: dict[str, str] = field(default_factory=dict)
    _begun: bool = False

    def read(self, engine: Engine) -> News:
        """What was said since the last reading."""
        behind = self.cursor if self._begun else 0
        with reading(engine) as session:
            rows = session.scalars(
                select(Turn)
                .where(Turn.conversation_id == self.conversation, Turn.seq > behind)
                .order_by(Turn.seq.desc())
                .limit(LIMIT)
            ).all()
            read = views(reversed(rows), self._labels)
        fresh = tuple(turn for turn in read if turn.seq > self.cursor)
        self._begun = True
        self.cursor = max(self.cursor, read[-1].seq if read else 0)
        return News(fresh, self.cursor, sum(turn.speaker == "citizen" for turn in fresh))

    def heard_so_far(self, engine: Engine) -> int:
        """How many turns the citizen has had up to here."""
        with reading(engine) as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(Turn)
                    .where(Turn.conversation_id == self.conversation, Turn.seq <= self.cursor)
                    .where(Turn.speaker == "citizen")
                )
                or 0
            )
