"""Keys pressed on the phone, gathered into what they mean. Pure: the time is passed in."""

from __future__ import annotations

USED = frozenset("0123456789*#")
"""A to D are on no telephone that a citizen has; what sounds like one is no wish."""
PAUSE_S = 2.5
"""How long after the last key a number counts as complete."""


class Keys:
    """Gathers one caller's keys.

    A single key acts at once unless digits are expected (0 a person); a number ends by ``#`` or by
    a pause. ``*`` goes back: it forgets the keys of a number begun, or is told at once.
    """

    def __init__(self) -> None:
        self._pressed = ""
        self._last = 0.0

    def press(self, key: str, now: float, *, gather: bool) -> str:
        """Take ``key``; returns what is complete now, '' while more may come."""
        self._last = now
        if key == "#":
            return self._take()
        if key == "*":
            return "" if self._take() else key
        self._pressed += key
        return "" if gather or len(self._pressed) > 1 else self._take()

    def due(self, now: float) -> str:
        """What has become complete by waiting, or ''."""
        return self._take() if self._pressed and now - self._last >= PAUSE_S else ""

    def _take(self) -> str:
        pressed, self._pressed = self._pressed, ""
        return pressed
