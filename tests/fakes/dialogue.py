"""A dialogue that answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.conversation import DialogueError
from turns.context import Context
from turns.replies import Say
from turns.understood import Outcome, Understood


def outcome(text: str, **known: Any) -> Outcome:
    """One sentence in answer."""
    understood = Understood(**{"act": "other", "decision": "talk", **known})
    return Outcome((Say("", text),), Context(matter=understood.matter), understood)


class FakeDialogue:
    """Answers 「听到：…」, or what ``answers`` holds for the text; an exception there is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, Outcome | Exception] = {}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.taken_back: list[str] = []
        self.forgotten: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        """Answer once the gate is open."""
        self.asked.append((sender, text, metadata))
        await self.gate.wait()
        answer = self.answers.get(text) or outcome(f"听到：{text}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """It has no connections."""

    async def take_back(self, sender: str) -> None:
        """Remember that the latest turn was to be forgotten."""
        self.taken_back.append(sender)

    async def forget(self, sender: str, heard: str) -> None:
        """Remember that one turn was to be forgotten."""
        self.forgotten.append((sender, heard))


DOWN = DialogueError("rasa_down", "nobody listens")
