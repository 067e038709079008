"""Look ahead at words that are not yet a turn: how they would be understood, with no side effects.

Asks Rasa's ``/model/parse`` and the actions' ``/search`` only: no turn, no tracker, no record.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.jsonhttp import Exchange, UnansweredError, content_of
from bot.parts import DialogueError
from bot.rasa_client import Parsed
from turns import wire
from turns.context import Context
from turns.understood import Finding

SURE = 0.6
"""An act's probability from which it is taken for sure (as in `bot.actions.arbitration`)."""


class Parser(Protocol):
    """What tells the act of a text: Rasa's client."""

    async def parse(self, text: str) -> Parsed:
        """The act; raises :class:`DialogueError`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a text would be: its act, and what published knowledge would be found for it."""

    act: Parsed
    found: Finding


class Lookahead:
    """Asks both at once."""

    def __init__(self, parser: Parser, actions: Exchange) -> None:
        """``actions`` reaches the actions process."""
        self._parser = parser
        self._actions = actions

    async def prepare(self, text: str, context: Context, at: datetime) -> Prepared:
        """How ``text`` would be understood at ``at`` (aware).

        Raises :class:`DialogueError`: what parsing raises, or ``search_failed``.
        """
        act, found = await asyncio.gather(self._parser.parse(text), self._search(text, context, at))
        return Prepared(act, found)

    async def answerable(self, text: str, context: Context, at: datetime) -> bool:
        """Whether published knowledge surely answers ``text``; raises :class:`DialogueError`."""
        prepared = await self.prepare(text, context, at)
        asked = prepared.act.act == "policy" and prepared.act.confidence >= SURE
        return asked and prepared.found.decision == "answer"

    async def close(self) -> None:
        """Let the connections to the actions go."""
        await self._actions.close()

    async def _search(self, text: str, context: Context, at: datetime) -> Finding:
        asked = {"text": text, "at": at.isoformat(), "context": wire.dump(context)}
        try:
            return wire.load(Finding, content_of(await self._actions("POST", "/search", asked)))
        except (UnansweredError, ValueError):
            raise DialogueError("search_failed", "the actions give no finding") from None
