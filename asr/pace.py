"""How long this caller pauses inside a sentence, learned during the call. Pure.

Two things teach it: pauses inside turns, and a turn that was ended too early, which shows when the
caller goes on speaking at once. One such cut-off is enough: nobody forgives two.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

CUT_OFF_MARGIN_S = 0.5
CUT_OFF_LEAST_S = 1.8
"""A pause that was cut off is waited for, so much longer and at least so long: pauses differ, and
so do the weak syllables around them, which voice activity takes for silence (up to 0.5 s of them
around pauses of 1.2 s in recorded speech)."""
PAUSE_MARGIN_S = 0.25
"""A pause inside a turn is waited for, so much longer."""
LONGEST_LEARNED_S = 0.9
"""What pauses inside turns teach at most; only a cut-off asks for more."""
LONGEST_S = 2.0
"""What is waited at most: beyond, silence is an answer."""
KEPT_PAUSES = 12
FORGIVEN_TURNS = 8
"""After so many turns whose pauses were far shorter, a cut-off was an exception."""


@dataclass(slots=True)
class Pace:
    """The pace of one caller; all times in seconds."""

    cut_off_s: float = 0.0
    """What a cut-off asks for, 0 where there was none, or it is forgiven."""
    _before: float = 0.0
    _pauses: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_PAUSES))
    _longest_in_turn: float = 0.0
    _turns_since: int = 0

    @property
    def patience(self) -> float:
        """Silence that this caller must be given at least."""
        return max(self.cut_off_s, self._usual())

    def paused(self, seconds: float) -> None:
        """The caller paused inside a turn."""
        self._pauses.append(seconds)
        self._longest_in_turn = max(self._longest_in_turn, seconds)

    def cut_off(self, seconds: float) -> None:
        """A pause was taken for the end of a turn."""
        wanted = max(seconds + CUT_OFF_MARGIN_S, CUT_OFF_LEAST_S)
        self._before = self.cut_off_s
        self.cut_off_s = min(max(self.cut_off_s, wanted), LONGEST_S)
        self._turns_since = 0

    def take_back(self) -> None:
        """It was not the caller who went on: the last cut-off was none."""
        self.cut_off_s = self._before

    def turn_ended(self) -> None:
        """A turn is over."""
        as_slow = 2 * self._longest_in_turn >= self.cut_off_s - CUT_OFF_MARGIN_S
        self._turns_since = 0 if as_slow else self._turns_since + 1
        self._longest_in_turn = 0.0
        if self._turns_since >= FORGIVEN_TURNS:
            self.cut_off_s = 0.0

    def _usual(self) -> float:
        """Only what happened twice: a single pause may be a noise in the silence."""
        if len(self._pauses) < 2:
            return 0.0
        return min(sorted(self._pauses)[-2] + PAUSE_MARGIN_S, LONGEST_LEARNED_S)
