"""A learned second opinion on whether a turn is urgent, beside the city's rules.

A linear model over hashed runs of characters, fuzzy syllables and concepts
(:mod:`bot.urgent_grams`), learned by ``python -m bot.urgent_train`` from the sentences under
``urgent_phrases/``; judging needs numpy and one small file of weights. A long story is judged
whole and in overlapping stretches, so that a danger told in its middle is not drowned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from bot.urgent_grams import Signs, bucket_set, signs, windows

WEIGHTS = Path(__file__).with_name("urgent_weights.npz")
TOPIC_BUCKETS = 1 << 13
_USUAL = 150
_STRETCH = 0.7  # a stretch lacks what stands around it, so it must be surer
KINDS: tuple[Literal["danger", "person"], ...] = ("danger", "person")

Ints = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """How sure the model is of danger and of a wish for a person, in log odds (0 is even)."""

    danger: float
    person: float


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """The weights: ``kinds`` of shape (BUCKETS, 2) and ``topics`` of (TOPIC_BUCKETS, topics), in
    steps of ``steps``, and a ``bias`` each; ``digest`` names the sentences they were learned from.
    """

    kinds: Ints
    topics: Ints
    steps: Floats
    kind_bias: Floats
    topic_bias: Floats
    names: tuple[str, ...]
    digest: str

    def score(self, text: str) -> Score:
        """How urgent ``text`` is, or the most urgent stretch of a long one. Never raises."""
        whole = signs(text)
        best = self._judge(whole)
        for part in windows(whole):
            best = np.maximum(best, self._judge(part) - _STRETCH)
        return Score(*best.tolist())

    def topic(self, text: str) -> str:
        """The topic that a dangerous ``text`` is most likely about."""
        found = {bucket % TOPIC_BUCKETS for bucket in bucket_set(signs(text))}
        sums = _sums(self.topics, found) * self.steps[1] + self.topic_bias
        return self.names[int(np.argmax(sums))]

    def _judge(self, part: Signs) -> Floats:
        found = bucket_set(part)
        sums = _sums(self.kinds, found)
        return np.asarray(sums * self.steps[0] * share(len(found)) + self.kind_bias)


def _sums(weights: Ints, found: set[int]) -> Floats:
    """What the rows ``found`` of ``weights`` come to."""
    return np.asarray(np.add.reduce(weights.take([*found], 0), 0, dtype=np.int64), np.float64)


def share(count: int) -> float:
    """What each of ``count`` buckets counts: less in a long text, or length alone would tell."""
    return float((_USUAL / max(count, 1)) ** 0.5)


def load(path: Path = WEIGHTS) -> Opinion:
    """The weights in ``path``; raises OSError, KeyError or ValueError on a broken file."""
    with np.load(path, allow_pickle=False) as file:
        return Opinion(
            kinds=file["kinds"],
            topics=file["topics"],
            steps=file["steps"],
            kind_bias=file["kind_bias"],
            topic_bias=file["topic_bias"],
            names=tuple(map(str, file["names"])),
            digest=str(file["digest"]),
        )


def save(opinion: Opinion, path: Path = WEIGHTS) -> None:
    """Write ``opinion`` for :func:`load`."""
    np.savez_compressed(
        path,
        kinds=opinion.kinds,
        topics=opinion.topics,
        steps=opinion.steps,
        kind_bias=opinion.kind_bias,
        topic_bias=opinion.topic_bias,
        names=np.array(opinion.names),
        digest=np.array(opinion.digest),
    )


@cache
def standard() -> Opinion:
    """The weights that come with this package, read once a process."""
    return load()
