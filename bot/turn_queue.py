"""Turns stand in line: those of one citizen one after the other, those of many side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import structlog
from structlog.contextvars import bind_contextvars

from bot.outset import Outset
from turns.heard import Heard
from turns.trace import trace_of

_log = structlog.get_logger(__name__)
Serve = Callable[[Heard, Outset | None], Awaitable[None]]
"""Answers a turn; what it begins with is given where nothing can have changed it since."""
Apologise = Callable[[Heard], Awaitable[None]]


class TurnQueue:
    """Answers turns by ``answer``; where that fails, by ``apologise``, which must not fail."""

    def __init__(self, answer: Serve, apologise: Apologise) -> None:
        self._answer = answer
        self._apologise = apologise
        self._lines: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: dict[str, int] = defaultdict(int)
        self._entered: dict[str, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()

    def waits(self, conversation: str) -> bool:
        """Whether a turn of the conversation is coming, in line, or being answered."""
        return self._waiting.get(conversation, 0) > 0

    @contextlib.contextmanager
    def coming(self, conversation: str) -> Iterator[Callable[[], bool]]:
        """While inside, a turn is about to be put in line; what is given tells whether it has come
        alone: since the beginning, no other turn of the conversation was in line here.
        """
        first = not self.waits(conversation)
        self._waiting[conversation] += 1
        entered = self._entered[conversation]
        try:
            yield lambda: first and self._entered[conversation] == entered
        finally:
            self._leave(conversation)

    def put(self, heard: Heard, outset: Outset | None = None) -> asyncio.Task[None]:
        """Line a turn up; the task ends when it has been answered."""
        self._waiting[heard.conversation] += 1
        self._entered[heard.conversation] += 1
        task = asyncio.create_task(self._in_line(heard, outset))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Wait until every turn in line has been answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_line(self, heard: Heard, outset: Outset | None) -> None:
        # This task is the turn's own: what is logged in it, here and below, carries its trace.
        bind_contextvars(
            conversation=heard.conversation, trace=trace_of(heard.conversation, heard.id)
        )
        lock = self._lines[heard.conversation]
        try:
            async with lock:
                await self._answer(heard, outset)
        except Exception as error:  # noqa: BLE001  # the last resort: no turn ends in silence
            _log.error("turn_failed", code=getattr(error, "code", type(error).__name__))
            await self._apologise(heard)
        finally:
            self._leave(heard.conversation)

    def _leave(self, conversation: str) -> None:
        self._waiting[conversation] -= 1
        if self._waiting[conversation] == 0:
            for kept in (self._waiting, self._entered, self._lines):
                kept.pop(conversation, None)
