"""Rendered speech brought to one level and trimmed, so that prompts follow each other evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL_DBFS = -18.0
"""Mean level of the speech, its pauses left out."""
PEAK_DBFS = -1.0
LEAD_S = 0.02
TAIL_S = 0.12
_FRAME_S = 0.01
_QUIET_DB = 40.0
"""Frames so far below the loudest are silence."""

Samples = NDArray[np.int16]


def levelled(samples: Samples, rate: int) -> Samples:
    """``samples`` at `LEVEL_DBFS`, at most `LEAD_S` of silence before and `TAIL_S` after.

    ``rate`` in Hz. Peaks stay under `PEAK_DBFS`, if need be at the cost of level. Pure silence
    stays as it is.
    """
    frame = int(rate * _FRAME_S)
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % frame))
    power = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    if not len(power) or power.max() < 1.0:
        return samples
    loud = np.flatnonzero(power > power.max() * 10 ** (-_QUIET_DB / 10))
    start = max(0, int(loud[0]) * frame - int(rate * LEAD_S))
    stop = min(len(samples), (int(loud[-1]) + 1) * frame + int(rate * TAIL_S))
    gain = 32768 * 10 ** (LEVEL_DBFS / 20) / float(np.sqrt(power[loud].mean()))
    peak = float(np.abs(padded).max())
    gain = min(gain, 32768 * 10 ** (PEAK_DBFS / 20) / peak)
    return np.rint(padded[start:stop] * gain).astype(np.int16)
