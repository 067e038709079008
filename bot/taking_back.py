"""A turn taken back: its citizen went on speaking, or goes one step back in a form.

Who goes on sends a second turn whose text holds both parts. The turn is undone as if it had never
been answered: the talk's context, the form, the counts, and the dialogue's own memory.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from bot.history import CONTINUED, State
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn
from turns import wire
from turns.heard import Heard

_MOST = 30
"""So many turns of a conversation are remembered."""


@dataclass(slots=True)
class Before:
    """How a conversation stood before the turn ``heard``.

    ``asked``: the dialogue was asked; ``told`` are the replies, dumped, that the turn answered.
    """

    heard: str
    state: State
    asked: bool = False
    told: tuple[dict[str, Any], ...] = ()


class Memory:
    """The latest turns of each conversation that this process serves."""

    def __init__(self) -> None:
        self._turns: dict[str, list[Before]] = defaultdict(list)

    def note(self, heard: Heard, state: State) -> None:
        """``heard`` is about to be answered."""
        turns = self._turns[heard.conversation]
        turns.append(Before(heard.id, state))
        del turns[:-_MOST]

    def asked(self, heard: Heard, told: tuple[dict[str, Any], ...]) -> None:
        """The dialogue is asked about ``heard``, which answers ``told``."""
        before = self._latest(heard.conversation)
        if before is not None and before.heard == heard.id:
            before.asked, before.told = True, told

    def of(self, heard: Heard) -> Before | None:
        """What stood before the turn that ``heard`` goes on with; None where that is unknown."""
        before = self._latest(heard.conversation)
        if not heard.continues or before is None or before.heard != heard.continues:
            return None
        return before

    def step_back(self, state: State) -> tuple[Before, ...]:
        """The turns to take back, latest first, so that a form's previous question is open again.

        As far as the latest turn that changed a field; never the turn that opened the form.
        """
        steps: list[Before] = []
        if not state.slots:
            return ()
        for before in reversed(self._turns.get(state.conversation, [])):
            if not before.asked:
                continue
            if not before.state.slots:
                break
            steps.append(before)
            if before.state.slots != state.slots:
                break
        return tuple(steps)

    def undone(self, conversation: str, before: Before) -> None:
        """The turn of ``before``, and what came after it, has been taken back."""
        turns = self._turns[conversation]
        place = next((n for n, turn in enumerate(turns) if turn is before), len(turns))
        del turns[place:]

    def forget(self, conversation: str) -> None:
        """The conversation is over."""
        self._turns.pop(conversation, None)

    def _latest(self, conversation: str) -> Before | None:
        turns = self._turns.get(conversation)
        return turns[-1] if turns else None


def take_back(engine: Engine, heard: Heard, before: Before) -> bool:
    """Undo the turn of ``before`` for the sake of ``heard``; False where it had effects that stay.

    A work order that was written, a person who was called: these are not undone. Synchronous.
    """
    with writing(engine) as session:
        row = session.get(Conversation, heard.conversation, with_for_update=FOR_CHANGE)
        turn = session.scalar(
            select(Turn).where(
                Turn.conversation_id == heard.conversation, Turn.heard == before.heard
            )
        )
        if row is None or turn is None or row.state != before.state.state:
            return False
        if turn.understood.get("order"):
            return False
        turn.understood, turn.decision = {}, CONTINUED
        row.context = wire.dump(before.state.context)
        row.slots = [wire.dump(field) for field in before.state.slots]
        row.misses, row.silences = before.state.misses, before.state.silences
    return True
