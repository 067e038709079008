"""The legs of one call that hear each other, as holding and muting leave them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from telephony.line import Conference, Leg, Line, LineError, Playback
from telephony.pair import conference
from telephony.parties import CALLER, hearing
from telephony.tones import Loop, melody
from turns.calls import Leg as Role


class Talk:
    """The caller and up to two others. ``sounds``: what precedes the sound of a call on hold, for
    who is on hold (``parked``) and for who waits for another's telephone (``away``); s16le PCM.
    """

    def __init__(self, line: Line, caller: Leg, sounds: Mapping[str, bytes]) -> None:
        self._sounds = sounds
        self._conference: Conference = conference(line)
        self._legs: dict[Role, Leg] = {CALLER: caller}
        self._parked: set[Role] = set()
        self._away: set[Role] = set()
        self._muted: set[Role] = set()
        self._loops: dict[Role, Loop] = {}

    @property
    def held(self) -> tuple[Role, ...]:
        """Who is on hold, by whichever side."""
        return tuple(role for role in self._legs if role in self._parked | self._away)

    def add(self, role: Role, leg: Leg) -> None:
        """``leg`` comes in.

        Raises ``LineError("not_answered")`` where it is over already, or no more can be joined.
        """
        self._legs[role] = leg
        self._apply()
        if leg not in self._conference.legs:
            self.remove(role)
            raise LineError("not_answered", "the leg is over")

    def remove(self, role: Role) -> None:
        """It leaves. No effect if it was not there."""
        leg = self._legs.pop(role, None)
        if leg is None:
            return
        for state in (self._parked, self._away, self._muted):
            state.discard(role)
        self._conference.remove(leg)
        self._quiet(role)
        self._apply()

    def park(self, role: Role, parked: bool) -> bool:
        """Put ``role`` on hold, or take it back; False if it is not there."""
        return self._set(self._parked, role, parked)

    def away(self, role: Role, away: bool) -> bool:
        """Its own telephone put us on hold, or took us back."""
        return self._set(self._away, role, away)

    def mute(self, role: Role, muted: bool) -> bool:
        """Whether it may only listen."""
        return self._set(self._muted, role, muted)

    def whisper(self, role: Role, pcm: bytes) -> Playback:
        """Let it alone hear ``pcm``. Raises ``LineError("not_answered")`` if it is not there."""
        leg = self._legs.get(role)
        if leg is None:
            raise LineError("not_answered", "nobody is there")
        if leg in self._conference.legs:
            return self._conference.whisper(leg, pcm)
        return leg.play(pcm)

    def stop(self) -> None:
        """Part them all and fall silent; every leg lives on."""
        for role in tuple(self._loops):
            self._quiet(role)
        self._conference.stop()
        self._legs.clear()

    def _set(self, state: set[Role], role: Role, on: bool) -> bool:
        if role not in self._legs:
            return False
        (state.add if on else state.discard)(role)
        self._apply()
        return True

    def _apply(self) -> None:
        now = hearing(self._legs, self._parked, self._away, self._muted)
        for role, leg in self._legs.items():
            if role in now.joined:
                # A leg that has just ended is removed when its end is read.
                with contextlib.suppress(LineError):
                    self._conference.add(leg)
                self._conference.mute(leg, role in now.silenced)
            else:
                self._conference.remove(leg)
            if role not in now.waiting:
                self._quiet(role)
            elif role not in self._loops:
                first = self._sounds["parked" if role in self._parked else "away"]
                self._loops[role] = Loop(leg, melody(), first)

    def _quiet(self, role: Role) -> None:
        loop = self._loops.pop(role, None)
        if loop is not None:
            loop.stop()
