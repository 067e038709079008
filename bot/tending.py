"""This process's claims on turns: renewed while it works, and those of the dead taken over."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import structlog

from bot import claims
from bot.bus import Bus
from bot.claims import LEASE, PHONE, RENEW_S, Claim
from bot.errors import ConversationError
from bot.ledger import Ledger
from turns.heard import Heard

SWEEP_S = 2.0
BEHIND_S = 0.5
_log = structlog.get_logger(__name__)
Put = Callable[[Heard], object]
Answer = Callable[[Heard], Awaitable[None]]


class Tending:
    """The claims of one process, which calls itself ``by``."""

    def __init__(self, ledger: Ledger, bus: Bus, now: Callable[[], datetime]) -> None:
        self.by = secrets.token_hex(8)
        self._ledger, self._bus, self._now = ledger, bus, now
        self._held: dict[tuple[str, str], float] = {}
        self._again: set[tuple[str, str]] = set()
        self._renewing: asyncio.Task[None] | None = None

    def claim(self, heard: Heard) -> Claim | None:
        """What a fresh turn is written down with; None for a call's."""
        return None if heard.channel == PHONE else Claim(self.by, self._now() + LEASE)

    async def take(self, conversation: str) -> tuple[Heard, ...]:
        """The turns of a conversation that their processes left unanswered; they are ours now."""
        taken: tuple[Heard, ...] = await self._ledger.call(
            claims.take, conversation, self.by, self._now()
        )
        self._again.update((conversation, heard.id) for heard in taken)
        return taken

    def again(self, heard: Heard) -> bool:
        """Whether another process may have begun to answer ``heard``."""
        return (heard.conversation, heard.id) in self._again

    @contextlib.asynccontextmanager
    async def answering(
        self, heard: Heard, answer: Answer, *, alone: bool = False
    ) -> AsyncIterator[bool]:
        """Whether ``heard`` is ours to answer, once those before it are answered.

        Those that a dead process left before it are answered here, by ``answer``; there are none
        where it is known to be ``alone``. The claim is renewed as long as one is inside.
        """
        key = (heard.conversation, heard.id)
        if heard.channel == PHONE:
            yield True
            return
        self._held[key] = asyncio.get_running_loop().time()
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        try:
            yield alone or await self._first_in_line(heard, answer)
        finally:
            del self._held[key]
            self._again.discard(key)

    async def _first_in_line(self, heard: Heard, answer: Answer) -> bool:
        with self._bus.watch(heard.conversation) as watch:
            while True:
                place = await self._ledger.call(claims.place_of, heard, self.by)
                if place != "behind":
                    return bool(place == "mine")
                for earlier in await self.take(heard.conversation):
                    if earlier.id != heard.id:
                        await answer(earlier)
                        self._again.discard((earlier.conversation, earlier.id))
                await watch.wait(BEHIND_S)

    async def release(self, heard: Heard) -> None:
        """Nothing is told to ``heard``."""
        if heard.channel != PHONE:
            await self._ledger.call(claims.release, heard, self.by)

    async def _renew(self) -> None:
        """As long as something is held. Most turns are answered before this does anything."""
        loop = asyncio.get_running_loop()
        while self._held:
            await asyncio.sleep(RENEW_S)
            old = [key for key, since in self._held.items() if loop.time() - since >= RENEW_S]
            if not old:
                continue
            with contextlib.suppress(ConversationError):  # logged; the next round tries again
                await self._ledger.call(claims.renew, self.by, old, self._now())

    async def sweep(self, put: Put, waits: Callable[[str], bool]) -> int:
        """Take over what dead processes left, once; how many turns.

        Where a turn of ours ``waits`` in the conversation, it sees to those before it.
        """
        count = 0
        for conversation in await self._ledger.call(claims.left, self._now()):
            if waits(conversation):
                continue
            for heard in await self.take(conversation):
                _log.warning("turn_taken_over", conversation=conversation)
                put(heard)
                count += 1
        return count

    async def keep_sweeping(self, put: Put, waits: Callable[[str], bool]) -> None:
        """For as long as the process serves chats."""
        while True:
            with contextlib.suppress(ConversationError):  # logged where it was raised
                await self.sweep(put, waits)
            await asyncio.sleep(SWEEP_S)
