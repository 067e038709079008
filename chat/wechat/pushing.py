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
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.bus import Bus
from bot.people import typing_key
from chat.wechat import ledger
from chat.wechat.ledger import Claim
from chat.wechat.telling import LEASE, NOTHING, Teller
from store.faults import fault_of

LOOK_S = 3.0
AT_ONCE = 16
"""Citizens that one process tells at the same time."""
_TYPING = typing_key("", "agent")
_log = structlog.get_logger(__name__)


class Pusher:
    """Of one process; ``mine`` says whether a conversation may be one of WeChat's.

    ``typing`` is called with a conversation in which an agent writes.
    """

    def __init__(
        self, teller: Teller, bus: Bus, mine: Callable[[str], bool],
        typing: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._teller = teller
        self._bus = bus
        self._mine = mine
        self._typing = typing
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
        elif key.startswith(_TYPING) and self._mine(key.removeprefix(_TYPING)):
            self._typing(key.removeprefix(_TYPING))

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
                ledger.due_in, self._teller.engine, conversation, self._teller.now()
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
        try:
            async with self._room:
                await self._claimed(citizen)
        except SQLAlchemyError as error:
            _log.error("wechat_push_failed", code="store_down", fault=fault_of(error))
        if self._woken.pop(citizen):
            self._soon(citizen)

    async def _claimed(self, citizen: str) -> None:
        """Tell the citizen all that may be told now.

        Whoever else has them looks again when it is done, if news came meanwhile.
        """
        teller, by = self._teller, f"{self._me}.{secrets.token_hex(4)}"
        found = await asyncio.to_thread(
            ledger.claim, teller.engine, citizen, by, teller.now(), LEASE
        )
        if not isinstance(found, Claim):
            return
        after = NOTHING
        try:
            after = await teller.tell(found)
        finally:
            await asyncio.to_thread(
                ledger.release, teller.engine, found, next_at=after.next_at, failed=after.failed
            )
        if after.next_at is not None:
            self._spawn(self._later(citizen, after.next_at))

    async def _later(self, citizen: str, at: datetime) -> None:
        """Look again then; what is later than a few seconds the next look finds as well."""
        wait_s = (at - self._teller.now()).total_seconds()
        if wait_s <= 2 * LOOK_S:
            await asyncio.sleep(max(wait_s, 0.0))
            self._soon(citizen)
