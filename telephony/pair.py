"""Two legs as a conference, for a line that can join but not mix."""

from __future__ import annotations

import contextlib

from telephony.line import Bridge, Conference, Leg, Line, LineError, Playback


def conference(line: Line) -> Conference:
    """An empty conference of the line's, or what stands in where it mixes nothing."""
    try:
        return line.confer(())
    except LineError as error:
        if error.code != "unsupported":
            raise
        return PairConference(line)


class PairConference:
    """Fulfils ``telephony.line.Conference`` for two. Who is muted parts both; a whisper is played
    instead of the other side.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._legs: list[Leg] = []
        self._muted: list[Leg] = []
        self._bridge: Bridge | None = None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Who takes part."""
        return tuple(self._legs)

    def add(self, leg: Leg) -> None:
        """One more; raises ``LineError``: ``unsupported`` for a third, ``not_answered``."""
        if leg in self._legs:
            return
        if leg.ended is not None:
            raise LineError("not_answered", "the leg is over")
        if len(self._legs) == 2:
            raise LineError("unsupported", "this line joins two legs and no more")
        self._legs.append(leg)
        self._apply()

    def remove(self, leg: Leg) -> None:
        """One less."""
        if leg in self._legs:
            self._legs.remove(leg)
            self.mute(leg, muted=False)

    def mute(self, leg: Leg, muted: bool = True) -> None:
        """Nobody hears anybody while one is muted."""
        self._muted = [other for other in self._muted if other is not leg] + [leg] * muted
        self._apply()

    def whisper(self, leg: Leg, pcm: bytes) -> Playback:
        """Instead of the other side."""
        if leg not in self._legs:
            raise LineError("not_answered", "this leg takes no part")
        return leg.play(pcm)

    def stop(self) -> None:
        """Part them."""
        self._legs.clear()
        self._muted.clear()
        self._apply()

    def _apply(self) -> None:
        if self._bridge is not None:
            self._bridge.stop()
            self._bridge = None
        if len(self._legs) == 2 and not self._muted:
            with contextlib.suppress(LineError):  # one has just ended: its event follows
                self._bridge = self._line.join(*self._legs)
