"""Rendered speech brought to one level and trimmed, so that prompts follow each other evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL_DBFS = -18.0
"""Mean level of a loud speaker, pauses left out: how the simulated citizens speak."""
HOUSE_DBFS = -22.0
"""Mean level of what the front door says: espeak-ng's peaks lie up to 20 dB above their mean, and
a caller may ask for 6 dB more."""
PEAK_DBFS = -1.0
LEAD_S = 0.02
TAIL_S = 0.12
_FRAME_S = 0.01
_QUIET_DB = 40.0
"""Frames so far below the loudest are silence."""
_BLOCK = 8  # samples, 1 ms at 8 kHz: the limiter's step
_LOOK = 4  # blocks on both sides over which a peak lowers the gain
_ROUNDS = 6  # each brings the limited level nearer to what was asked for

Samples = NDArray[np.int16]
_Floats = NDArray[np.float64]


def levelled(samples: Samples, rate: int, level_dbfs: float = LEVEL_DBFS) -> Samples:
    """``samples`` at ``level_dbfs``, at most `LEAD_S` of silence before and `TAIL_S` after.

    ``rate`` in Hz. Peaks stay under `PEAK_DBFS`, if need be at the cost of level. Pure silence
    stays as it is.
    """
    frame = int(rate * _FRAME_S)
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % frame))
    power = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    if not len(power) or power.max() < 1.0:
        return samples
    loud = _loud(power)
    start = max(0, int(loud[0]) * frame - int(rate * LEAD_S))
    stop = min(len(samples), (int(loud[-1]) + 1) * frame + int(rate * TAIL_S))
    gain = _amplitude(level_dbfs) / float(np.sqrt(power[loud].mean()))
    peak = float(np.abs(padded).max())
    gain = min(gain, _amplitude(PEAK_DBFS) / peak)
    return np.rint(padded[start:stop] * gain).astype(np.int16)


def louder(pcm: bytes, gain_db: float) -> bytes:
    """``pcm`` (s16le, 8 kHz) by ``gain_db`` louder or softer, its peaks limited, never clipped.

    The mean level of speech grows by what was asked as far as `PEAK_DBFS` allows.
    """
    if not gain_db or not pcm:
        return pcm
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    before = _active(samples)
    if before == 0:
        return pcm
    gain = 10 ** (gain_db / 20)
    drive, result = gain, samples
    for _ in range(_ROUNDS):
        result = _limited(samples * drive)
        short = before * gain / _active(result)
        if short < 1.01:  # 0.1 dB
            break
        drive *= short
    return np.rint(result).astype("<i2").tobytes()


def _limited(samples: _Floats) -> _Floats:
    """Peaks brought under `PEAK_DBFS` by a gain that falls and rises over a few ms around them."""
    ceiling = _amplitude(PEAK_DBFS)
    if np.abs(samples).max() <= ceiling:
        return samples
    padded = np.pad(samples, (0, -len(samples) % _BLOCK))
    peaks = np.abs(padded).reshape(-1, _BLOCK).max(axis=1)
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(peaks, _LOOK), 2 * _LOOK + 1)
    gains = np.minimum(1.0, ceiling / np.maximum(wide.max(axis=1), 1.0))
    centres = np.arange(len(peaks)) * _BLOCK + (_BLOCK - 1) / 2
    limited: _Floats = samples * np.interp(np.arange(len(samples)), centres, gains)
    return limited


def _active(samples: _Floats) -> float:
    """The mean amplitude of what is not silence, 0 where all is."""
    frame = 10 * _BLOCK
    padded = np.pad(samples, (0, -len(samples) % frame))
    power = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    return float(np.sqrt(power[_loud(power)].mean())) if power.max() >= 1.0 else 0.0


def _loud(power: _Floats) -> NDArray[np.intp]:
    return np.flatnonzero(power > power.max() * 10 ** (-_QUIET_DB / 10))


def _amplitude(dbfs: float) -> float:
    return 32768.0 * float(10 ** (dbfs / 20))
