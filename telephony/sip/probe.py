"""Dead calls: no sound for long, and nobody there who answers for it."""

from __future__ import annotations

from typing import Protocol

from telephony.sip.core import ALLOW
from telephony.sip.reinvite import DEAD
from telephony.sip.sdp import SDP_TYPE
from telephony.sip.timers import Cancellable
from telephony.sip.within import Within


class Sound(Protocol):
    """What is needed of the media."""

    @property
    def silent_ms(self) -> int:
        """For how long no packet has come, on the leg's clock, ms."""


class DeadCallWatch:
    """After ``after_s`` without any packet the other side is asked by an OPTIONS.

    No answer, 408 or 481 ends the call (``media_timeout``). If it answers, the call goes on, and
    it is asked again after every further ``after_s`` of silence: a muted caller, or one whose
    telephone sends nothing in silence, is never cut off, however long. On hold, ours or theirs,
    no sound is expected and nobody is asked. 0 watches nothing.
    """

    def __init__(self, within: Within, sound: Sound, after_s: float) -> None:
        self._within = within
        self._leg = within.leg
        self._sound = sound
        self._after_s = after_s
        self._timer: Cancellable | None = None

    def restart(self, *, expects_sound: bool) -> None:
        """What is agreed has changed; the time counts anew."""
        self.stop()
        if expects_sound and self._after_s:
            self._check_in(self._after_s)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_in(self, seconds: float) -> None:
        self._timer = self._leg.core.clock.call_later(seconds, self._check)

    def _check(self) -> None:
        silent_s = self._sound.silent_ms / 1000
        if silent_s < self._after_s:
            self._check_in(self._after_s - silent_s)
        else:
            self._within.spawn(self._ask())

    async def _ask(self) -> None:
        asked_by = self._timer
        self._leg.core.counters["calls_probed"] += 1
        alive = await self.probe()
        if self._timer is not asked_by:
            return  # put on hold, taken back or over meanwhile: watched by another timer, or none
        if alive or self._sound.silent_ms < 1000 * self._after_s:
            self._check_in(self._after_s)
        else:
            self._leg.bye("media_timeout")

    async def probe(self) -> bool:
        """Whether the other side knows the call: any answer but 408 and 481 says so.

        Raises ``LineError``: ``not_answered``, ``ended``.
        """
        headers = [ALLOW, ("Accept", SDP_TYPE)]
        response = await self._within.ask("OPTIONS", headers)
        return response is not None and response.status not in DEAD
