"""Recorded sentences as a hesitant caller says them: pauses put in, noise around. Pure.

All sound is 16-bit mono at 8000 Hz; times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qianmen.bench import g711
from qianmen.bench.sound import RATE, Samples

_NEAR_S = 0.25
_WINDOW = 160
_BLOCK = 80
_FADE = 40
_APART = RATE // 2
"""Half a second is spoken at least between two pauses: two or three syllables."""
_SMOOTH = 5
_RANGE_DB = 45.0
_WORDS_LATE_S = 0.3
"""How long after they were spoken a recogniser tells words."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recorded sentence from its first to its last sound, and its words."""

    name: str
    samples: Samples
    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence with pauses in it: where it ends, and when which words were told."""

    samples: Samples
    text: str
    spoken: NDArray[np.float64]
    """When each character has been spoken, s from the start."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE

    def words_at(self, seconds: float) -> str:
        """What a recogniser would tell ``seconds`` after the start."""
        told = int(np.searchsorted(self.spoken + _WORDS_LATE_S, seconds, side="right"))
        return self.text[:told]


def trimmed(samples: Samples) -> Samples:
    """``samples`` from the first to the last sound."""
    loud = np.flatnonzero(~_quiet(samples))
    if not len(loud):
        return samples[:0]
    return samples[loud[0] * _BLOCK : (loud[-1] + 1) * _BLOCK].copy()


def _quiet(samples: Samples) -> NDArray[np.bool_]:
    """Which blocks of 10 ms hold no speech: the softer of the recording's two kinds of sound."""
    whole = len(samples) // _BLOCK
    if not whole:
        return np.zeros(0, np.bool_)
    blocks = samples[: whole * _BLOCK].astype(np.float64).reshape(-1, _BLOCK)
    power = np.convolve((blocks**2).mean(axis=1), np.ones(_SMOOTH) / _SMOOTH, mode="same")
    level = 10 * np.log10(power + 1.0)
    level = np.maximum(level, level.max() - _RANGE_DB)  # digital silence is no kind of its own
    return np.asarray(level < _border(level))


def _border(level: NDArray[np.float64]) -> float:
    """Otsu's threshold: what parts values into two groups that are most alike in themselves."""
    borders = np.unique(np.floor(level))[1:]
    apart = [_between(level[level < border], level[level >= border]) for border in borders]
    return float(borders[int(np.argmax(apart))]) if apart else 0.0


def _between(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    return float(len(low) * len(high) * (high.mean() - low.mean()) ** 2) if len(low) else 0.0


def places(samples: Samples, shares: tuple[float, ...]) -> list[int]:
    """The quietest place near each share of ``samples``: where a word ends, most likely."""
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(_WINDOW), mode="same")
    near = round(_NEAR_S * RATE)
    found = []
    for share in shares:
        middle = round(share * len(samples))
        low, high = max(middle - near, _WINDOW), min(middle + near, len(samples) - _WINDOW)
        if high <= low:
            found.append(middle)
            continue
        quietest = np.flatnonzero(power[low:high] == power[low:high].min())
        found.append(low + int(quietest[len(quietest) // 2]))
    return sorted(found)


def with_pauses(clip: Clip, shares: tuple[float, ...], pause_s: float) -> Utterance:
    """``clip`` with pauses of ``pause_s`` at the quietest places near ``shares`` of it.

    Where the speaker paused already, that pause is made so long.
    """
    holes = _holes(clip.samples, shares)
    silence = np.zeros(round(pause_s * RATE), np.int16)
    starts, ends = [0, *(end for _, end in holes)], [*(start for start, _ in holes)]
    parts: list[Samples] = []
    for start, end in zip(starts, [*ends, len(clip.samples)], strict=True):
        parts += [_faded(clip.samples[start:end]), silence]
    said = (np.arange(len(clip.text)) + 1) / len(clip.text) * len(clip.samples)
    later = sum((said > start) * (pause_s * RATE - (end - start)) for start, end in holes)
    return Utterance(np.concatenate(parts[:-1]), clip.text, (said + later) / RATE)


def _holes(samples: Samples, shares: tuple[float, ...]) -> list[tuple[int, int]]:
    """The quiet stretches around the places, apart from each other: (first, after last) sample."""
    quiet = _quiet(samples)
    whole = len(quiet)
    holes: list[tuple[int, int]] = []
    for place in places(samples, shares):
        first = after = min(place // _BLOCK, whole)
        while first > 0 and quiet[first - 1]:
            first -= 1
        while after < whole and quiet[after]:
            after += 1
        hole = (min(first * _BLOCK, place), max(after * _BLOCK, place))
        if not holes or hole[0] > holes[-1][1] + _APART:
            holes.append(hole)
    return holes


def on_the_line(samples: Samples, snr_db: float, speech: Samples, seed: int) -> Samples:
    """``samples`` with white noise ``snr_db`` below ``speech``, through A-law."""
    level = float(np.sqrt(np.mean(speech.astype(np.float64) ** 2))) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(seed).normal(0.0, level, len(samples))
    noisy = np.clip(samples + noise, -32768, 32767).astype(np.int16)
    return g711.decode(g711.encode(noisy))


def _faded(part: Samples) -> Samples:
    """No click where a sentence was cut."""
    faded = part.astype(np.float64)
    length = min(_FADE, len(part) // 2)
    slope = np.linspace(0.0, 1.0, length)
    faded[:length] *= slope
    faded[len(faded) - length :] *= slope[::-1]
    return faded.astype(np.int16)
