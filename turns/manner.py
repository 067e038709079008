"""How fast and how loud a caller wants to be spoken to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Adjust = Literal["slower", "faster", "louder", "softer"]
"""One step that the caller asked for; it holds for the rest of the call."""

_RATE_STEP = 0.8
_GAIN_STEP_DB = 6.0
_GAINS_DB = (-_GAIN_STEP_DB, 2 * _GAIN_STEP_DB)


@dataclass(frozen=True, slots=True)
class Manner:
    """``rate`` 1.0 is the configured speed, 0.8 a fifth slower; ``gain_db`` 0 the house level."""

    rate: float = 1.0
    gain_db: float = 0.0

    def adjusted(self, step: Adjust) -> Manner:
        """One step on: a fifth slower (twice at most), 6 dB louder (twice at most), or back."""
        match step:
            case "slower" | "faster":
                rate = self.rate * _RATE_STEP if step == "slower" else self.rate / _RATE_STEP
                return Manner(round(min(max(rate, RATES[-1]), RATES[0]), 3), self.gain_db)
            case "louder" | "softer":
                gain = self.gain_db + (_GAIN_STEP_DB if step == "louder" else -_GAIN_STEP_DB)
                return Manner(self.rate, min(max(gain, _GAINS_DB[0]), _GAINS_DB[1]))


PLAIN = Manner()
"""As everybody is spoken to at first."""
RATES = tuple(round(_RATE_STEP**power, 3) for power in (-1, 0, 1, 2))
"""Every rate that steps lead to."""
