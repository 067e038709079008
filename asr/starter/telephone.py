"""What a telephone line does to speech, and what a room adds to it. Samples are floats in -1..1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, resample, resample_poly

SAMPLE_RATE = 8000
"""Samples a second on the telephone, Hz."""

Samples = NDArray[np.float64]


def to_telephone_rate(samples: NDArray[Any], rate: int) -> Samples:
    """16-bit samples at `rate` Hz as floats at 8000 Hz."""
    floats = samples.astype(np.float64) / 32768
    if rate == SAMPLE_RATE:
        return floats
    divisor = int(np.gcd(rate, SAMPLE_RATE))
    return np.asarray(resample_poly(floats, SAMPLE_RATE // divisor, rate // divisor))


def mu_law(samples: Samples) -> Samples:
    """There and back through G.711 µ-law (PCMU)."""
    clipped = np.clip(samples, -1, 1)
    compressed = np.sign(clipped) * np.log1p(255 * np.abs(clipped)) / np.log(256)
    coded = np.round(compressed * 127) / 127
    return np.asarray(np.sign(coded) * (256 ** np.abs(coded) - 1) / 255)


def a_law(samples: Samples) -> Samples:
    """There and back through G.711 A-law (PCMA), by its continuous curve, A = 87.6."""
    size = np.abs(np.clip(samples, -1, 1))
    scale = 1 + np.log(87.6)
    linear = size < 1 / 87.6
    compressed = np.where(linear, 87.6 * size, 1 + np.log(np.maximum(87.6 * size, 1e-9))) / scale
    coded = np.round(compressed * 127) / 127
    expanded = np.where(coded < 1 / scale, coded * scale / 87.6, np.exp(coded * scale - 1) / 87.6)
    return np.asarray(np.sign(samples) * expanded)


def add_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Speech with noise of the same length at a signal-to-noise ratio in dB."""
    speech_power = float(np.mean(samples**2)) + 1e-12
    noise_power = float(np.mean(noise**2)) + 1e-12
    return np.asarray(samples + noise * np.sqrt(speech_power / noise_power * 10 ** (-snr_db / 10)))


def coloured_noise(length: int, colour: float, rng: np.random.Generator) -> Samples:
    """White noise through a one-pole low pass; `colour` 0 is white, near 1 is a rumble."""
    return np.asarray(lfilter([1.0], [1.0, -colour], rng.standard_normal(length)))


def worsen(samples: Samples, rng: np.random.Generator) -> Samples:
    """A random line and room around clean speech: vocal tract size, pauses, tilt, gain, noise,
    G.711."""
    factor = rng.uniform(0.88, 1.14)
    stretched = np.asarray(resample(samples, int(len(samples) * factor)))
    before, after = rng.uniform(0.03, 0.4), rng.uniform(0.05, 0.5)
    padded = np.pad(stretched, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
    padded *= 10 ** (rng.uniform(-20, -1) / 20) / (np.abs(padded).max() + 1e-9)
    tilt = rng.uniform(-0.6, 0.6)
    tilted = np.asarray(lfilter([1.0, tilt], [1.0], padded)) / (1 + abs(tilt))
    colour = rng.uniform(0.5, 0.97) if rng.random() < 0.6 else 0.0
    noise = coloured_noise(len(tilted), colour, rng)
    noisy = add_noise(tilted, noise, rng.uniform(8, 45))
    return mu_law(noisy) if rng.random() < 0.5 else a_law(noisy)
