"""Sounds for whoever waits: ringing and holding, made once, played over and over on a leg.

A caller must never be left in silence: silence on the telephone means that the line is dead.
"""

from __future__ import annotations

import asyncio
from functools import cache

import numpy as np

from telephony.line import SAMPLE_RATE_HZ, SILENCE, Leg, Playback

RINGING_HZ = 450.0
"""Ring-back tone: 450 Hz, 1 s on and 4 s off (GB/T 3380, ITU-T E.180 supplement 2 for China)."""
_RING_ON_S, _RING_OFF_S = 1.0, 4.0
_BYTES_PER_S = 2 * SAMPLE_RATE_HZ
_TONE_DBFS = -16.0
_MELODY_DBFS = -24.0
_FADE_S = 0.01
_BEAT_S = 0.6
_REST_BEATS = 4
# A made-up pentatonic line (gong mode on C): nobody's composition, nobody's licence.
_MELODY_HZ = (523.3, 587.3, 659.3, 784.0, 880.0, 784.0, 659.3, 587.3, 523.3, 440.0, 392.0, 523.3)
_Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


@cache
def ringing() -> bytes:
    """One period of ring-back tone: s16le, 8 kHz, 5 s."""
    return _pcm(np.concatenate((_tone(RINGING_HZ, _RING_ON_S, _TONE_DBFS), _quiet(_RING_OFF_S))))


@cache
def melody() -> bytes:
    """One period of the sound of a call on hold: soft notes, then a rest; s16le, 8 kHz."""
    notes = [_plucked(hertz) for hertz in _MELODY_HZ]
    return _pcm(np.concatenate((*notes, _quiet(_REST_BEATS * _BEAT_S))))


class Loop:
    """Plays ``first`` once and ``period`` over and over on ``leg``, until ``stop``."""

    def __init__(self, leg: Leg, period: bytes, first: bytes = b"") -> None:
        self._leg = leg
        self._period = period
        self._playing: Playback | None = None
        self._task = asyncio.create_task(self._run(first))

    def stop(self) -> None:
        """Silent within a frame. No effect if stopped already."""
        self._task.cancel()
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    async def _run(self, first: bytes) -> None:
        clock = asyncio.get_running_loop().time
        pcm = first or self._period
        while self._leg.ended is None:
            began, lasts = clock(), len(pcm) / _BYTES_PER_S
            self._playing = self._leg.play(pcm)
            if await self._playing.done == 0:  # refused: the leg is over, or has no media
                return
            if clock() - began < lasts / 2:  # a leg that swallows sound is not to be flooded
                await asyncio.sleep(lasts)
            pcm = self._period


def _tone(hertz: float, seconds: float, dbfs: float) -> _Samples:
    count = round(seconds * SAMPLE_RATE_HZ)
    wave = _amplitude(dbfs) * np.sin(2 * np.pi * hertz * np.arange(count) / SAMPLE_RATE_HZ)
    fade = np.minimum(1.0, np.arange(count) / (_FADE_S * SAMPLE_RATE_HZ))
    return np.asarray(wave * fade * fade[::-1])


def _plucked(hertz: float) -> _Samples:
    note = _tone(hertz, _BEAT_S, _MELODY_DBFS)
    return np.asarray(note * np.exp(-3.0 * np.arange(len(note)) / len(note)))


def _quiet(seconds: float) -> _Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ))


def _amplitude(dbfs: float) -> float:
    return float(32767 * 10 ** (dbfs / 20))


def _pcm(samples: _Samples) -> bytes:
    pcm = samples.astype("<i2").tobytes()
    return pcm + SILENCE[: -len(pcm) % len(SILENCE)]
