"""Calling one destination after the other for a caller who hears that something happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from config.targets import Destination
from telephony import metrics
from telephony.briefing import accepted, heard_out
from telephony.line import DialError, Frame, Leg, LegEvent, LineError
from telephony.parts import CallParts
from telephony.party import Party
from telephony.rtp.g711 import loudness
from turns.calls import CallState
from turns.calls import Leg as Role

_log = structlog.get_logger(__name__)
_AUDIBLE = 100
"""Root mean square of a frame above which early media is more than an open line."""

Tell = Callable[[CallState, str, Destination], None]
"""Told of each step: state, cause, destination."""


class Dialler:
    """Tries a list for one ``role`` of a call.

    ``on_event`` is told what happens on a leg that answered; ``on_early`` when a target that has
    not answered yet lets something be heard; ``on_next`` is awaited before another one is tried;
    ``sentence`` gives the sound of the order, and of how to take it (by a key, or at once).
    ``whisper``: who has a desk hears the order too before they are joined.
    """

    def __init__(
        self,
        parts: CallParts,
        role: Role,
        tell: Tell,
        on_event: Callable[[Party, LegEvent], None],
        sentence: Callable[[Destination], Awaitable[bytes]],
        *,
        whisper: bool = False,
    ) -> None:
        self._parts = parts
        self._role = role
        self._tell = tell
        self._on_event = on_event
        self._sentence = sentence
        self._whisper = whisper
        self.cause = ""
        """Why the last one did not come."""

    async def reach(
        self,
        destinations: tuple[Destination, ...],
        shown: str,
        on_early: Callable[[Leg], None] | None = None,
        on_next: Callable[[], Awaitable[None]] | None = None,
    ) -> Party | None:
        """The first who answers and accepts, or None. ``shown``: the citizen's number.

        Cancelling it cancels the call that is being made.
        """
        for position, destination in enumerate(destinations):
            if position and on_next is not None:
                await on_next()
            party = await self._try(destination, shown, on_early)
            if party is not None:
                return party
        return None

    async def _try(
        self, destination: Destination, shown: str, on_early: Callable[[Leg], None] | None
    ) -> Party | None:
        self._tell("ringing", "", destination)
        try:
            leg = await self._parts.line.dial(
                destination.uri,
                caller=destination.caller_id or shown,
                timeout_s=destination.ring_s,
                on_early=_once_audible(on_early) if on_early else None,
            )
        except LineError as error:
            status = error.status if isinstance(error, DialError) else 0
            _log.warning("target_failed", code=error.code, status=status)
            self._failed(error.code if isinstance(error, DialError) else "unreachable", destination)
            return None
        party = Party(leg, destination, self._role, self._on_event)
        try:
            unasked = destination.desk and not self._whisper
            taken = unasked or await self._briefed(party)
        except BaseException:
            await asyncio.shield(party.leave())
            raise
        if taken:
            return party
        await party.leave()
        self._failed("refused", destination)
        return None

    async def _briefed(self, party: Party) -> bool:
        destination = party.destination
        self._tell("answered", "", destination)
        sentence = await self._sentence(destination)
        if destination.accept == "answer" or destination.desk:
            return await heard_out(party, sentence)
        return await accepted(party, sentence)

    def _failed(self, cause: str, destination: Destination) -> None:
        self.cause = cause
        metrics.bridges.labels(cause).inc()
        self._tell("failed", cause, destination)


def _once_audible(on_early: Callable[[Leg], None]) -> Callable[[Leg], None]:
    """Some gateways open the line early and send silence: ringing must not stop for that."""

    def opened(leg: Leg) -> None:
        told = False

        def sink(frame: Frame) -> None:
            nonlocal told
            if not told and loudness(frame.pcm) > _AUDIBLE:
                told = True
                on_early(leg)

        leg.on_audio(sink)

    return opened
