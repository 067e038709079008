"""The loop that offers citizens to agents: any number of web processes may run it at once.

It runs when the queue was changed anywhere, and once a second for whatever falls due by itself (an
offer that lapsed, an agent who vanished, the end of a wrap-up). It never dies of an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from handoff.queue import service
from handoff.queue.model import Change
from store.faults import fault_of
from web.agents.parts import DeskParts

QUEUE = "#queue"
WALL = "#wall"
_log = structlog.get_logger(__name__)


def desk_key(login: str) -> str:
    """The key that wakes one agent's desk."""
    return f"#desk:{login}"


class Dispatcher:
    """Runs ``handoff.queue.service.dispatch`` for one process."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._failing = False

    async def run(self) -> None:
        """Until cancelled."""
        with self._parts.bus.watch(QUEUE) as watch:
            while True:
                changes = await self.once()
                fresh = watch.woken
                self.tell(changes)
                if not fresh:
                    watch.calm()  # its own news are none to itself
                await watch.wait()

    async def once(self) -> tuple[Change, ...]:
        """One round; what it changed, nothing where the database does not answer."""
        parts = self._parts
        try:
            changes = await asyncio.to_thread(
                service.dispatch, parts.engine, parts.city.queue, parts.now()
            )
        except SQLAlchemyError as error:
            self._failed("store_down", fault_of(error))
            return ()
        except Exception as error:  # noqa: BLE001  # whatever breaks, the next round is made
            self._failed("dispatch_failed", type(error).__name__)
            return ()
        if self._failing:
            self._failing = False
            _log.warning("dispatch_changed", code="dispatch_back")
        return changes

    def tell(self, changes: Iterable[Change]) -> None:
        """Wake everybody whom the changes concern."""
        bus, changes = self._parts.bus, tuple(changes)
        for change in changes:
            if change.agent:
                bus.tell(desk_key(change.agent))
            if change.conversation:
                bus.tell(change.conversation)
        if changes:
            bus.tell(QUEUE)
            bus.tell(WALL)

    def _failed(self, code: str, fault: str) -> None:
        """Said once, not every second."""
        if not self._failing:
            self._failing = True
            _log.error("dispatch_failed", code=code, fault=fault)
