"""Words that may not be all, looked ahead at while the caller pauses.

When they rest for a moment the conversation is asked whether it can answer them; if so the
recogniser waits less for more. No turn is made of it; a failure costs nothing but the time saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import ConversationError

_log = structlog.get_logger(__name__)
REST_S = 0.1
"""Words unchanged for so long are looked ahead at."""
LONGEST_S = 0.8
"""Later than this the turn is over anyway."""

Prepare = Callable[[str], Awaitable[bool]]


class Foreseeing:
    """One call's look ahead. ``prepare`` tells whether words can be answered as they stand."""

    def __init__(self, prepare: Prepare, complete: Callable[[str], None]) -> None:
        """``complete`` is called with the words (as `words` got them) that can be answered."""
        self._prepare = prepare
        self._complete = complete
        self._task: asyncio.Task[None] | None = None
        self._text = ""

    def words(self, text: str, before: str = "") -> None:
        """The words so far; ``before`` are those of a part that these go on with."""
        if text == self._text:
            return
        self.stop()
        self._text = text
        if text:
            self._task = asyncio.create_task(self._look(text, before))

    def stop(self) -> None:
        """The turn is over, or nothing is to be foreseen in it."""
        self._text = ""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look(self, text: str, before: str) -> None:
        await asyncio.sleep(REST_S)
        try:
            async with asyncio.timeout(LONGEST_S):
                known = await self._prepare(before + text)
        except (TimeoutError, ConversationError) as error:
            _log.info("look_ahead_failed", code=getattr(error, "code", "timeout"))
            return
        if known:
            self._complete(text)
