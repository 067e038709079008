"""The turns of a conversation as the rules that fill orders read them. Synchronous."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.told import Spoken
from store.tables import Turn
from turns.orders import OrderField

_SUPERSEDED = "continued"  # bot.history.CONTINUED: a later turn goes on with it
_WORDS = ("speech", "text", "choice")  # of a citizen: keys, silences and events tell no field


def spoken_turns(session: Session, conversation: str) -> tuple[Spoken, ...]:
    """What everybody said, in order, without what a later turn took the place of."""
    rows = session.scalars(
        select(Turn)
        .where(Turn.conversation_id == conversation, Turn.decision != _SUPERSEDED)
        .order_by(Turn.seq)
    )
    return tuple(
        Spoken(
            row.heard or f"#{row.seq}", row.text, row.at, row.confidence, row.speaker,
            str((row.understood or {}).get("act", "")),
        )
        for row in rows
        if row.text and (row.speaker != "citizen" or row.kind in _WORDS)
    )  # fmt: skip


def from_first(turns: Sequence[Spoken], fields: Iterable[OrderField]) -> tuple[Spoken, ...]:
    """``turns`` from the first one that filled any of ``fields``: before it was another matter.

    All of them where no turn did.
    """
    named = {field.provenance.turn for field in fields}
    first = next((at for at, turn in enumerate(turns) if turn.id in named), 0)
    return tuple(turns[first:])
