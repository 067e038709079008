"""Pure tones, and whether one is heard in a sound (Goertzel)."""

from __future__ import annotations

import numpy as np

RATE = 8000


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 4000.0) -> bytes:
    """s16le PCM, 8 kHz."""
    samples = amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return samples.astype("<i2").tobytes()


def level(pcm: bytes, hertz: float) -> float:
    """The amplitude of one tone in a sound, by Goertzel's algorithm."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    if not len(samples):
        return 0.0
    turn = 2 * np.cos(2 * np.pi * hertz / RATE)
    before = now = 0.0
    for sample in samples:
        before, now = now, sample + turn * now - before
    power = before**2 + now**2 - turn * before * now
    return float(2 * np.sqrt(max(power, 0.0)) / len(samples))
