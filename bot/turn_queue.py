"""Turns stand in line: those of one citizen one after the other, those of many side by side."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog
from structlog.contextvars import bind_contextvars

from turns.heard import Heard
from turns.trace import trace_of

_log = structlog.get_logger(__name__)
Serve = Callable[[Heard], Awaitable[None]]


class TurnQueue:
    """Answers turns by ``answer``; where that fails, by ``apologise``, which must not fail."""

    def __init__(self, answer: Serve, apologise: Serve) -> None:
        self._answer = answer
        self._apologise = apologise
        self._lines: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: dict[str, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()

    def waits(self, conversation: str) -> bool:
        """Whether a turn of the conversation is in line, or is being answered."""
        return self._waiting.get(conversation, 0) > 0

    def put(self, heard: Heard) -> asyncio.Task[None]:
        """Line a turn up; the task ends when it has been answered."""
        self._waiting[heard.conversation] += 1
        task = asyncio.create_task(self._in_line(heard))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Wait until every turn in line has been answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_line(self, heard: Heard) -> None:
        # This task is the turn's own: what is logged in it, here and below, carries its trace.
        bind_contextvars(
            conversation=heard.conversation, trace=trace_of(heard.conversation, heard.id)
        )
        lock = self._lines[heard.conversation]
        try:
            async with lock:
                await self._answer(heard)
        except Exception as error:  # noqa: BLE001  # the last resort: no turn ends in silence
            _log.error("turn_failed", code=getattr(error, "code", type(error).__name__))
            await self._apologise(heard)
        finally:
            self._waiting[heard.conversation] -= 1
            if self._waiting[heard.conversation] == 0:
                del self._waiting[heard.conversation]
                del self._lines[heard.conversation]
