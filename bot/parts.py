"""What the conversation core is joined from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine

from bot.bus import Bus
from bot.handover import Extract, MatterFacts
from bot.noting import Note, note_nothing
from bot.queue import NoQueue, Queue
from bot.triage import UrgentRule
from config.city import City
from handoff.order.journal import Journal
from turns.context import Context
from turns.understood import Outcome


class DialogueError(Exception):
    """The dialogue gave no answer; ``code`` says how: rasa_down, rasa_slow, rasa_empty …"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Dialogue(Protocol):
    """What decides on a turn: Rasa, behind its client."""

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        """Decide; raises :class:`DialogueError`."""

    async def take_back(self, sender: str) -> None:
        """Forget the latest turn; raises :class:`DialogueError`."""

    async def forget(self, sender: str, heard: str) -> None:
        """Forget turn ``heard`` and what came after it, where it was asked about; raises
        :class:`DialogueError`."""

    async def close(self) -> None:
        """Let its connections go."""


class Foresight(Protocol):
    """What tells, without side effects, whether words as they stand can be answered."""

    async def answerable(self, text: str, context: Context, at: datetime) -> bool:
        """Whether; raises :class:`DialogueError`."""

    async def close(self) -> None:
        """Let its connections go."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the core is joined from; the joints are functions so that each can be a fake."""

    engine: Engine
    city: City
    dialogue: Dialogue
    bus: Bus
    urgent: UrgentRule
    matter_facts: MatterFacts
    extract: Extract
    now: Callable[[], datetime]
    foresight: Foresight | None = None
    queue: Queue = field(default_factory=NoQueue)
    journal: Journal | None = None
    note: Note = note_nothing
