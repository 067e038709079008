"""Where speech that was interrupted goes on."""

from __future__ import annotations

import numpy as np

SAMPLE_RATE_HZ = 8000
BACK_S = 0.5
"""How far before the place it goes on at most."""
_FRAME = 80  # samples, 10 ms
_WIDTH = 2  # bytes a sample


def quiet_before(pcm: bytes, at: int, back_s: float = BACK_S) -> int:
    """The byte offset of the quietest 10 ms in the ``back_s`` before ``at`` (s16le, 8 kHz).

    0 where less than that was heard: the whole sentence is said again.
    """
    back = int(back_s * SAMPLE_RATE_HZ) * _WIDTH
    at = min(at, len(pcm)) // _WIDTH * _WIDTH
    if at <= back:
        return 0
    heard = np.frombuffer(pcm[at - back : at], "<i2").astype(np.float64)
    frames = heard[: len(heard) // _FRAME * _FRAME].reshape(-1, _FRAME)
    quietest = int((frames**2).sum(axis=1).argmin())
    return at - back + quietest * _FRAME * _WIDTH
