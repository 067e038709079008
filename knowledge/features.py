"""Texts as sparse rows: runs of 1 to 3 characters and of fuzzy syllables, TF-IDF, unit length."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from knowledge.signs import Signs

STRUCK = "□"
"""Stands in the place of a character of which only the sound is left."""

_LEAST = 2


@dataclass(frozen=True, slots=True)
class Row:
    """A text's features: their places in the vocabulary and what each weighs (float32)."""

    at: NDArray[np.int32]
    weight: NDArray[np.float32]


class Vocabulary:
    """The features in use and how telling each is. Immutable; places never change."""

    def __init__(self, places: Mapping[str, int], idf: NDArray[np.float32]) -> None:
        """``idf[places[feature]]`` is the feature's inverse document frequency."""
        self._places = places
        self._idf = idf

    @classmethod
    def of(cls, texts: Iterable[Signs]) -> Vocabulary:
        """The features that at least two of ``texts`` use."""
        seen: Counter[str] = Counter()
        count = 0
        for text in texts:
            seen.update(set(features(text)))
            count += 1
        used = {feature: times for feature, times in seen.items() if times >= _LEAST}
        places = {feature: at for at, feature in enumerate(used)}
        times = np.fromiter(used.values(), dtype=np.float32, count=len(used))
        return cls(places, (np.log((1.0 + count) / (1.0 + times)) + 1.0).astype(np.float32))

    @property
    def features(self) -> tuple[str, ...]:
        """The features, each at its place."""
        return tuple(self._places)

    @property
    def idf(self) -> NDArray[np.float32]:
        """How telling each feature is, at its place."""
        return self._idf

    def __len__(self) -> int:
        return len(self._places)

    def row(self, text: Signs) -> Row:
        """``text`` as a row; empty where nothing in it is known."""
        found = map(self._places.get, features(text))
        counted = Counter([at for at in found if at is not None])
        at = np.fromiter(counted.keys(), dtype=np.int32, count=len(counted))
        times = np.fromiter(counted.values(), dtype=np.float32, count=len(counted))
        weight = (1.0 + np.log(times)) * self._idf[at]
        length = float(np.linalg.norm(weight)) or 1.0
        return Row(at, (weight / length).astype(np.float32))

    def extended(self, texts: Iterable[Signs]) -> Vocabulary:
        """This vocabulary and the features of ``texts`` that it lacks, as rare ones."""
        places = dict(self._places)
        for text in texts:
            for feature in features(text):
                places.setdefault(feature, len(places))
        if len(places) == len(self._places):
            return self
        rare = float(self._idf.max()) if len(self._idf) else 1.0 + math.log(2.0)
        fresh = np.full(len(places) - len(self._idf), rare, dtype=np.float32)
        return Vocabulary(places, np.concatenate([self._idf, fresh]))


def features(text: Signs) -> list[str]:
    """Runs of 1 to 3 characters and, marked by ``~``, of syllables, edges included."""
    chars, sounds = ("^", *text.chars, "$"), ("^", *text.syllables, "$")
    spelled = [
        *chars,
        *(a + b for a, b in pairwise(chars)),
        *(a + b + c for a, b, c in zip(chars, chars[1:], chars[2:], strict=False)),
    ]
    heard = [
        *(f"~{a}" for a in sounds),
        *(f"~{a} {b}" for a, b in pairwise(sounds)),
        *(f"~{a} {b} {c}" for a, b, c in zip(sounds, sounds[1:], sounds[2:], strict=False)),
    ]
    both = chain.from_iterable(zip(spelled, heard, strict=True))
    return [run for run in both if STRUCK not in run]
