"""Many citizens who chat at once, and what Rasa alone does with the same sentences.

Each way of asking is given as something that says one sentence and tells how long the first words
took, so that the front door and its peer stand under the same load.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from qianmen.bench.questions import CHAT
from qianmen.citizen.chat import open_chat
from qianmen.citizen.errors import CitizenError

TURNS = len(CHAT)
OPEN_AT_ONCE = 20


class Asker(Protocol):
    """One conversation."""

    async def ask(self, text: str) -> float | None:
        """Say ``text``; ms until the first words of the answer, None where none came."""


Begin = Callable[[], AbstractAsyncContextManager[Asker]]


@dataclass(slots=True)
class Answers:
    """What became of the sentences: ms of those answered, and how many were lost."""

    ms: list[float] = field(default_factory=list)
    lost: int = 0

    def note(self, took_ms: float | None) -> None:
        """One more."""
        if took_ms is None:
            self.lost += 1
        else:
            self.ms.append(took_ms)


def front_door(base_url: str) -> Begin:
    """Conversations with the front door, by its WebSocket."""

    class Page:
        def __init__(self, line: object) -> None:
            self._line = line

        async def ask(self, text: str) -> float | None:
            line = self._line
            try:
                await line.say(text)  # type: ignore[attr-defined]  # a ChatLine, as opened below
            except CitizenError:
                return None
            took: float = line.first_words_s  # type: ignore[attr-defined]  # as above
            return took * 1000 or None

    @asynccontextmanager
    async def begin() -> AsyncIterator[Asker]:
        async with open_chat(base_url) as line:
            yield Page(line)

    return begin


async def thinking(begin: Begin, citizens: int, think_s: float) -> Answers:
    """``citizens`` at once, each with six turns and ``think_s`` before each of them."""
    answers = Answers()

    async def one(number: int) -> None:
        try:
            async with begin() as asker:
                await asyncio.sleep(think_s * number / citizens)  # they do not come at one moment
                for text in CHAT:
                    await asyncio.sleep(think_s)
                    answers.note(await asker.ask(text))
        except CitizenError:
            answers.lost += TURNS

    await asyncio.gather(*map(one, range(citizens)))
    return answers


async def open_loop(begin: Begin, rate: float, seconds: float) -> Answers:
    """``rate`` turns a second whatever becomes of them, each conversation six; ms from when a turn
    was due, so that what piles up shows.
    """
    count = max(1, round(rate * seconds / TURNS))
    answers = Answers()
    async with AsyncExitStack() as stack:
        askers = await _opened(begin, count, stack)
        answers.lost += (count - len(askers)) * TURNS
        start = time.perf_counter() + 0.5

        async def one(number: int, asker: Asker) -> None:
            for turn, text in enumerate(CHAT):
                due = start + (number + turn * count) / rate
                await asyncio.sleep(due - time.perf_counter())
                late_ms = max(0.0, time.perf_counter() - due) * 1000
                took = await asker.ask(text)
                answers.note(None if took is None else late_ms + took)

        await asyncio.gather(*(one(number, asker) for number, asker in enumerate(askers)))
    return answers


async def saturated(begin: Begin, citizens: int, seconds: float) -> float:
    """Turns a second that ``citizens`` get answered who never think."""
    answers = Answers()
    async with AsyncExitStack() as stack:
        askers = await _opened(begin, citizens, stack)
        began = time.perf_counter()
        until = began + seconds

        async def one(asker: Asker) -> None:
            turn = 0
            while time.perf_counter() < until:
                answers.note(await asker.ask(CHAT[turn % TURNS]))
                turn += 1

        await asyncio.gather(*map(one, askers))
        return len(answers.ms) / (time.perf_counter() - began)


async def _opened(begin: Begin, count: int, stack: AsyncExitStack) -> list[Asker]:
    gate = asyncio.Semaphore(OPEN_AT_ONCE)

    async def one() -> Asker | None:
        async with gate:
            try:
                return await stack.enter_async_context(begin())
            except (CitizenError, httpx.HTTPError):
                return None

    return [asker for asker in await asyncio.gather(*(one() for _ in range(count))) if asker]
