"""Whether the recogniser keeps up with a call's sound. Pure: the time is passed in.

Two answers, since one time-out cannot serve both: a caller should hear soon that we are slow, which
does no harm where it was a hiccup; to give a call away takes more patience (0.8 s without progress
happened on a loaded machine whose recogniser was well).
"""

from __future__ import annotations

from typing import Literal

WATCH_S = 0.05
"""How often to look."""
SLOW_S = 0.7
"""Sound unheard for so long without any progress: the recogniser is slow."""
LOST_S = 2.0
"""The same: it is lost."""
HICCUP_FACTOR = 1.5
"""A recogniser that goes on after it was called slow is called so later the next time."""


class Stall:
    """Watches one stream."""

    def __init__(self) -> None:
        self._heard = -1
        self._since = 0.0
        self._slow = False
        self._slow_s = SLOW_S

    def looked(self, now: float, heard: int, *, waiting: bool) -> Literal["", "slow", "lost"]:
        """``heard`` bytes were heard by ``now`` (s); ``waiting``: more were sent.

        Tells once for each stall that it is slow, then that it is lost.
        """
        if not waiting or heard != self._heard:
            if self._slow:
                self._slow_s = min(self._slow_s * HICCUP_FACTOR, LOST_S)
            self._heard, self._since, self._slow = heard, now, False
            return ""
        still = now - self._since
        if still >= LOST_S:
            return "lost"
        if still >= self._slow_s and not self._slow:
            self._slow = True
            return "slow"
        return ""
