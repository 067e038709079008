"""Steps that must end in time, and go on to their end behind whoever waited too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConversationError
from chat.wechat.pace import Sleep
from sealing.errors import SealError
from store.faults import fault_of

T = TypeVar("T")
AWAY = "store_down"
"""Nobody reaches the database."""
AGAIN_S = 0.5
"""Then it is tried again after so long: one that changes over is back soon."""
_log = structlog.get_logger(__name__)


class NotWrittenError(Exception):
    """A message could not be written down; ``code`` is stable.

    ``too_late`` (it may be, later), or what the database's failure is called (:data:`AWAY`).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Steps:
    """The steps of one door; ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._tasks: set[asyncio.Future[Any]] = set()

    async def by(self, until_s: float, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` gives by ``until_s``; raises :class:`NotWrittenError`.

        Late work is not cancelled: its thread would write all the same, and then nobody would
        answer what it wrote.
        """
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        await asyncio.wait({task}, timeout=max(0.0, until_s - self._clock()))
        if not task.done():
            raise NotWrittenError("too_late")
        try:
            return task.result()
        except (ConversationError, SQLAlchemyError, SealError, OSError) as error:
            raise NotWrittenError(_code(error)) from None

    async def again_by(self, until_s: float, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """As :meth:`by`, and tried again while nobody reaches the database and there is time."""
        while True:
            try:
                return await self.by(until_s, work())
            except NotWrittenError as error:
                if error.code != AWAY or self._clock() + AGAIN_S >= until_s:
                    raise
            await self._sleep(AGAIN_S)

    async def settled(self) -> None:
        """Wait for what goes on."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _over(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            fault = fault_of(error) if isinstance(error, SQLAlchemyError) else type(error).__name__
            _log.error("wechat_step_failed", code=_code(error), fault=fault)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, ConversationError | SealError) else AWAY
