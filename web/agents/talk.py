"""A talk as its agent follows it: what was said since they looked last. Synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from store.engine import reading
from store.tables import Turn
from web.sent import Beside, beside
from web.transcript import TurnView, views

LIMIT = 500
"""A page that begins to watch gets at most so many turns, the latest ones."""
_WORDS = ("speech", "text", "choice")


@dataclass(frozen=True, slots=True)
class News:
    """What is new behind a cursor, oldest first; ``cursor`` stands behind it.

    ``heard``: how many of the new turns are the citizen's. ``changed``: turns told before, whose
    pictures may have come since.
    """

    turns: tuple[TurnView, ...]
    cursor: int
    heard: int
    changed: tuple[TurnView, ...] = ()

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
    _coming: dict[int, TurnView] = field(default_factory=dict)

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
            lies = beside(session, self.conversation)
            read = views(reversed(rows), lies, self._labels)
            changed = self._arrived(session, lies) if self._begun else self._with_files(read)
        fresh = tuple(turn for turn in read if turn.seq > self.cursor)
        self._begun = True
        self.cursor = max(self.cursor, read[-1].seq if read else 0)
        self._coming.update((turn.seq, turn) for turn in read if _awaits(turn))
        return News(fresh, self.cursor, sum(turn.speaker == "citizen" for turn in fresh), changed)

    def _with_files(self, read: Sequence[TurnView]) -> tuple[TurnView, ...]:
        """What a page that comes back has, but perhaps without what came while it was away."""
        return tuple(turn for turn in read if turn.seq <= self.cursor and turn.attachments)

    def _arrived(self, session: Session, lies: Beside) -> tuple[TurnView, ...]:
        """Turns told before without what has come, or is known to be lost, by now."""
        if not self._coming:
            return ()
        rows = session.scalars(select(Turn).where(Turn.seq.in_(self._coming)).order_by(Turn.seq))
        changed = tuple(
            turn for turn in views(rows, lies, self._labels) if turn != self._coming[turn.seq]
        )
        for turn in changed:
            del self._coming[turn.seq]
        return changed

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


def _awaits(turn: TurnView) -> bool:
    return any(one.state == "coming" for one in turn.attachments)
