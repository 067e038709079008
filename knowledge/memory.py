"""The labelled questions as they stand: how near a text comes to what was asked before.

Nothing is trained here, so a question is of use in the moment it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.features import Row, Vocabulary
from knowledge.learned import Learned
from knowledge.matters import MatterEntry
from knowledge.signs import signs


@dataclass(frozen=True, slots=True)
class Near:
    """How near a text comes (cosine, 0 to 1) to the nearest question of each matter, and of each
    aspect of it. What shares nothing with the text is left out.
    """

    matters: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Question:
    """One labelled question and its row."""

    text: str
    matter: str
    aspect: str
    row: Row


class Memory:
    """All labelled questions, posted by feature. Immutable."""

    def __init__(self, vocabulary: Vocabulary, questions: Sequence[Question]) -> None:
        """The rows of ``questions`` belong to ``vocabulary``."""
        self.vocabulary = vocabulary
        self._questions = tuple(questions)
        pairs = list(dict.fromkeys((one.matter, one.aspect) for one in questions))
        number = {pair: at for at, pair in enumerate(pairs)}
        self._pairs = pairs
        self._pair_of = np.array([number[one.matter, one.aspect] for one in questions], np.int64)
        self._starts, self._who, self._weight = _posted(questions, len(vocabulary))

    @classmethod
    def of(
        cls, matters: Sequence[MatterEntry], learned: Learned, before: Memory | None = None
    ) -> Memory:
        """The questions of ``matters``; ``before`` is an older one of the same ``learned``, and
        spares the rows of what it has already.
        """
        asked = [
            (text, matter.code, str(aspect))
            for matter in matters
            for aspect, texts in matter.questions.items()
            for text in texts
        ]
        if before is not None and before.asked == asked:
            return before
        vocabulary = before.vocabulary if before else learned.vocabulary
        rows = dict(before.rows if before else learned.rows)
        fresh = {text: signs(text) for text, _, _ in asked if text not in rows}
        vocabulary = vocabulary.extended(fresh.values())
        rows.update((text, vocabulary.row(cut)) for text, cut in fresh.items())
        return cls(vocabulary, [Question(*one, rows[one[0]]) for one in asked])

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question with its row."""
        return self._questions

    @property
    def asked(self) -> list[tuple[str, str, str]]:
        """Every question: text, matter, aspect."""
        return [(one.text, one.matter, one.aspect) for one in self._questions]

    @property
    def rows(self) -> dict[str, Row]:
        """The row of every question's text."""
        return {one.text: one.row for one in self._questions}

    def near(self, rows: Sequence[Row]) -> Near:
        """How near the nearest of ``rows`` (a text and its clauses) comes."""
        if not self._questions:
            return Near({}, {})
        best = np.zeros(len(self._pairs))
        for row in rows:
            np.maximum.at(best, self._pair_of, self._alike(row))
        pairs = {
            pair: float(cosine) for pair, cosine in zip(self._pairs, best, strict=True) if cosine
        }
        matters: dict[str, float] = {}
        for (matter, _), cosine in pairs.items():
            matters[matter] = max(cosine, matters.get(matter, 0.0))
        return Near(matters, pairs)

    def nearest(self, row: Row, count: int) -> tuple[tuple[Question, float], ...]:
        """The ``count`` nearest questions with their cosines, nearest first."""
        if not self._questions:
            return ()
        alike = self._alike(row)
        top = np.argsort(-alike, kind="stable")[:count]
        return tuple((self._questions[int(at)], float(alike[at])) for at in top if alike[at] > 0)

    def _alike(self, row: Row) -> NDArray[np.float64]:
        spans = [slice(self._starts[at], self._starts[at + 1]) for at in row.at]
        if not spans:
            return np.zeros(len(self._questions))
        who = np.concatenate([self._who[span] for span in spans])
        weight = np.concatenate(
            [self._weight[span] * own for span, own in zip(spans, row.weight, strict=True)]
        )
        alike: NDArray[np.float64] = np.bincount(
            who, weights=weight, minlength=len(self._questions)
        ).astype(np.float64)
        return alike


def _posted(
    questions: Sequence[Question], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Where each feature's postings start, whose they are, and what they weigh."""
    at = np.concatenate([np.zeros(0, np.int32), *(one.row.at for one in questions)])
    weight = np.concatenate([np.zeros(0, np.float32), *(one.row.weight for one in questions)])
    who = np.repeat(
        np.arange(len(questions), dtype=np.int32), [len(one.row.at) for one in questions]
    )
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(width + 1))
    return starts, who[order], weight[order]
