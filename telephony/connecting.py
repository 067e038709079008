"""The caller joined with a person."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import ConversationError
from telephony import metrics
from telephony.line import DialError, Ended, Leg
from telephony.parts import CallParts

_log = structlog.get_logger(__name__)


class Switchboard:
    """Connects one call. ``prompt`` says a prompt of the city's to the caller."""

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        conversation: str,
        prompt: Callable[[str], Awaitable[None]],
    ) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._prompt = prompt

    async def connect(self, target: str) -> None:
        """Join the caller with ``target``; hang up when either ends, or nobody answers."""
        try:
            other = await self._parts.line.dial(target, caller=self._leg.caller)
        except DialError as error:
            metrics.bridges.labels(error.code).inc()
            _log.warning("hunt_group_failed", code=error.code, status=error.status)
            await self._prompt("nobody_answers")
        else:
            await self._hold_together(other)
        await self._leg.hang_up()

    async def _hold_together(self, other: Leg) -> None:
        metrics.bridges.labels("connected").inc()
        _log.info("call_bridged")
        try:
            self._parts.line.join(self._leg, other)
            with contextlib.suppress(ConversationError):  # logged where it was raised
                await self._parts.core.connected(self._id, self._parts.now())
            async for event in other.events():
                if isinstance(event, Ended):
                    _log.info("bridge_ended", cause=event.cause)
        finally:
            await other.hang_up()
