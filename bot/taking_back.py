"""A turn taken back because its citizen went on speaking: both parts are understood as one.

The second part comes as a turn of its own whose text holds both; the first is undone as if it had
never been answered: the talk's context, the form, the counts, and the dialogue's own memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from bot.history import CONTINUED, State
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn
from turns import wire
from turns.heard import Heard


@dataclass(slots=True)
class Before:
    """How a conversation stood before the turn ``heard``; ``asked``: the dialogue was asked."""

    heard: str
    state: State
    asked: bool = False


class Memory:
    """The latest turn of each conversation that this process serves."""

    def __init__(self) -> None:
        self._before: dict[str, Before] = {}

    def note(self, heard: Heard, state: State) -> None:
        """``heard`` is about to be answered."""
        self._before[heard.conversation] = Before(heard.id, state)

    def asked(self, heard: Heard) -> None:
        """The dialogue is asked about ``heard``."""
        before = self._before.get(heard.conversation)
        if before is not None and before.heard == heard.id:
            before.asked = True

    def of(self, heard: Heard) -> Before | None:
        """What stood before the turn that ``heard`` goes on with; None where that is unknown."""
        before = self._before.get(heard.conversation)
        if not heard.continues or before is None or before.heard != heard.continues:
            return None
        return before

    def forget(self, conversation: str) -> None:
        """The conversation is over."""
        self._before.pop(conversation, None)


def take_back(engine: Engine, heard: Heard, before: Before) -> bool:
    """Undo the turn that ``heard`` goes on with; False where it had effects that stay.

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
