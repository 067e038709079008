"""Tells citizens of WeChat what they were not told yet, by customer-service messages.

Every web process has a pusher. It is woken by the bus whenever something is told (an answer that
came too late for the passive reply, an agent's words, a survey), and looks by itself every few
seconds for what nobody woke it for. What waits stands in the database alone: see
:mod:`chat.wechat.ledger` for what a crash costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.bus import Bus
from chat.wechat import ledger
from chat.wechat.telling import LEASE, NOTHING, Teller
from store.faults import fault_of

LOOK_S = 3.0
AT_ONCE = 16
"""Citizens that one process tells at the same time."""
AGAIN_S = 1.0
"""Whom others are telling is looked at again then: the news may have come too late for them."""
_log = structlog.get_logger(__name__)


class Pusher:
    """Of one process; ``mine`` says whether a conversation may be one of WeChat's."""

    def __init__(self, teller: Teller, bus: Bus, mine: Callable[[str], bool]) -> None:
        self._teller = teller
        self._bus = bus
        self._mine = mine
        self._me = secrets.token_hex(8)
        self._woken: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._heard = contextlib.ExitStack()
        self._down = False

    def start(self) -> None:
        """Begin to look, and to listen to the bus."""
        self._heard.enter_context(self._bus.overhear(self._news))
        self._spawn(self._live())

    async def stop(self) -> None:
        """End; what is on its way may be sent again by another process."""
        self._heard.close()
        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def wake(self, conversation: str) -> None:
        """There may be something to tell in ``conversation``."""
        self._spawn(self._of_conversation(conversation))

    async def look(self) -> None:
        """Look once for everybody who has something untold. Raises SQLAlchemyError."""
        teller = self._teller
        found = await asyncio.to_thread(ledger.due, teller.engine, teller.now(), 4 * AT_ONCE)
        for citizen in found:
            self._soon(citizen)

    def _news(self, key: str) -> None:
        if self._mine(key):
            self.wake(key)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self) -> None:
        while True:
            try:
                await self.look()
                self._down = False
            except Exception as error:  # noqa: BLE001  # it must go on, whatever a driver raises
                if not self._down:
                    _log.error("wechat_look_failed", code=fault_of(error))
                self._down = True
            await asyncio.sleep(LOOK_S)

    async def _of_conversation(self, conversation: str) -> None:
        with contextlib.suppress(SQLAlchemyError):  # the next look finds it
            found = await asyncio.to_thread(
                ledger.of_conversation, self._teller.engine, conversation
            )
            if found is not None:
                self._soon(found)

    def _soon(self, citizen: str) -> None:
        """One task for each citizen; who is woken meanwhile is looked at once more."""
        if citizen in self._woken:
            self._woken[citizen] = True
            return
        self._woken[citizen] = False
        self._spawn(self._push(citizen))

    async def _push(self, citizen: str) -> None:
        wait_s: float | None = None
        try:
            async with self._room:
                wait_s = await self._claimed(citizen)
        except SQLAlchemyError as error:
            _log.error("wechat_push_failed", code="store_down", fault=fault_of(error))
        if wait_s is not None:
            await asyncio.sleep(wait_s)
        if self._woken.pop(citizen) or wait_s is not None:
            self._soon(citizen)

    async def _claimed(self, citizen: str) -> float | None:
        """Tell the citizen all that may be told now; seconds until it is worth looking again.

        None: not before somebody says so, or the next look finds it.
        """
        teller, by = self._teller, f"{self._me}.{secrets.token_hex(4)}"
        found = await asyncio.to_thread(
            ledger.claim, teller.engine, citizen, by, teller.now(), LEASE
        )
        if isinstance(found, datetime):
            return self._wait_s(found)
        if found is None:
            return None
        after = NOTHING
        try:
            after = await teller.tell(found)
        finally:
            await asyncio.to_thread(
                ledger.release, teller.engine, found, next_at=after.next_at, failed=after.failed
            )
        return self._wait_s(after.next_at) if after.next_at else None

    def _wait_s(self, until: datetime) -> float | None:
        """Others have them, or they wait, until then; what lasts longer ends with a look."""
        left = until - self._teller.now()
        if left > timedelta(seconds=2 * LOOK_S) + LEASE:
            return None
        return min(max(left.total_seconds(), 0.0), AGAIN_S)
