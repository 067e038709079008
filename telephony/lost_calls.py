"""Calls that a dead phone process held: who waited in them for a person is called back.

The line is gone with the process, and nobody told the queue. Every phone process looks, also for
those that never come back; doing it twice is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from bot.errors import ConversationError
from telephony.commands import Calls, ControlError

LOOK_S = 15.0
"""Three beats of a node (``telephony.node.BEAT_S``): a call that nobody publishes is over."""
_log = structlog.get_logger(__name__)


class Core(Protocol):
    """What is needed of the conversation core."""

    async def unfinished_calls(self) -> tuple[str, ...]:
        """Calls whose callers wait for a person or have one."""

    async def close(self, conversation: str, at: datetime) -> None:
        """The caller is gone."""


class Registry(Protocol):
    """What tells which calls there are: ``telephony.commands.CallControl``."""

    async def calls(self) -> Calls:
        """Every call that any node holds; raises ``ControlError``."""


class LostCalls:
    """Ends calls that no node has held at two looks, one after the other."""

    def __init__(self, core: Core, registry: Registry, now: Callable[[], datetime]) -> None:
        self._core = core
        self._registry = registry
        self._now = now
        self._missed: frozenset[str] = frozenset()

    async def watch(self) -> None:
        """Look from time to time, without end."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> int:
        """Look once; how many calls were ended. Where nothing can be known, none is."""
        try:
            waiting = frozenset(await self._core.unfinished_calls())
            held = {info.call for info in (await self._registry.calls()).calls}
            lost = waiting - held
            over, self._missed = lost & self._missed, lost
            for call in sorted(over):
                await self._core.close(call, self._now())
        except (ControlError, ConversationError):
            self._missed = frozenset()
            return 0
        if over:
            _log.warning("calls_lost", code="node_lost", calls=len(over))
        return len(over)
