"""Error rates and how sure one may be of them. Pure; chance comes from a fixed seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

RESAMPLES = 2000
SEED = 12345
_FEWEST = 5
"""Clips below which an interval would pretend to know."""
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Errors:
    """Characters of the reference, and how many were heard as others, not heard, made up."""

    characters: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def total(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors a character of the reference: CER, above 1 with many insertions."""
        return self.total / self.characters if self.characters else None

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.characters + other.characters,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


def errors_between(reference: str, heard: str) -> Errors:
    """The fewest errors that turn ``reference`` into ``heard``."""
    tags = [edit.tag for edit in Levenshtein.editops(reference, heard)]
    return Errors(len(reference), tags.count("replace"), tags.count("delete"), tags.count("insert"))


def interval(clips: Sequence[Errors]) -> tuple[float, float] | None:
    """95 % confidence interval of the rate over all clips; None for fewer than five.

    Percentile bootstrap over clips (Bisani and Ney, ICASSP 2004): whole clips are drawn anew,
    since errors within one hang together.
    """
    rates = _resampled(clips)
    return None if rates is None else _middle(rates[:, 0])


def difference_interval(
    one: Sequence[Errors], other: Sequence[Errors]
) -> tuple[float, float] | None:
    """95 % interval of the first rate less the second, the same clips drawn for both."""
    rates = _resampled(one, other)
    return None if rates is None else _middle(rates[:, 0] - rates[:, 1])


def _resampled(*models: Sequence[Errors]) -> NDArray[np.float64] | None:
    """Rates of every resample, shape (RESAMPLES, models)."""
    count = len(models[0])
    if count < _FEWEST or not any(clip.characters for clip in models[0]):
        return None
    errors = np.array([[clip.total for clip in clips] for clips in models], np.float64).T
    characters = np.array([clip.characters for clip in models[0]], np.float64)
    chance = np.random.default_rng(SEED)
    rates = []
    for _ in range(RESAMPLES // _BATCH):
        drawn = chance.multinomial(count, np.full(count, 1 / count), size=_BATCH)
        rates.append((drawn @ errors) / np.maximum(drawn @ characters, 1)[:, None])
    return np.concatenate(rates)


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
