"""The labelled questions as they stand: how near a text comes to what was asked before.

Nothing is trained here, so a question is of use in the moment it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledge.features import Row, Vocabulary
from knowledge.learned import Learned
from knowledge.matters import MatterEntry
from knowledge.signs import signs

_L = TypeVar("_L")


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


_OFTEN = 0.25
"""The share of all questions from which on a feature's weights are kept as a full column."""


class Memory:
    """All labelled questions, posted by feature. Immutable."""

    def __init__(self, vocabulary: Vocabulary, questions: Sequence[Question]) -> None:
        """The rows of ``questions`` belong to ``vocabulary``."""
        self.vocabulary = vocabulary
        self._questions = tuple(questions)
        pairs = [(one.matter, one.aspect) for one in questions]
        self._pairs, self._by_pair, self._first_of_pair = _grouped(pairs)
        matters = [matter for matter, _ in self._pairs]
        self._matters, self._by_matter, self._first_of_matter = _grouped(matters)
        self._posted = _Posted(questions, len(vocabulary))

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
        if not self._questions or not rows:
            return Near({}, {})
        best = self._posted.alike(rows[0])
        for row in rows[1:]:
            np.maximum(best, self._posted.alike(row), out=best)
        pairs = np.maximum.reduceat(best[self._by_pair], self._first_of_pair)
        matters = np.maximum.reduceat(pairs[self._by_matter], self._first_of_matter)
        return Near(_above_zero(self._matters, matters), _above_zero(self._pairs, pairs))

    def nearest(self, row: Row, count: int) -> tuple[tuple[Question, float], ...]:
        """The ``count`` nearest questions with their cosines, nearest first."""
        if not self._questions:
            return ()
        alike = self._posted.alike(row)
        top = np.argsort(-alike, kind="stable")[:count]
        return tuple((self._questions[int(at)], float(alike[at])) for at in top if alike[at] > 0)


class _Posted:
    """Who has each feature, and what it weighs there.

    A row asks for some 80 features. Most are rare: a list of their questions, as long as there
    are. Two dozen (the edges of a text, 么, 什么) stand in so many questions that a full column,
    zeros and all, is multiplied faster than such a list is summed up.
    """

    def __init__(self, questions: Sequence[Question], width: int) -> None:
        """``width``: the vocabulary's size."""
        self._count = len(questions)
        at = np.concatenate([np.zeros(0, np.int32), *(one.row.at for one in questions)])
        weight = np.concatenate([np.zeros(0, np.float32), *(one.row.weight for one in questions)])
        who = np.repeat(np.arange(len(questions)), [len(one.row.at) for one in questions])
        order = np.argsort(at, kind="stable")
        self._starts = np.searchsorted(at[order], np.arange(width + 1))
        self._who, self._weight = who[order], weight[order]
        often = np.flatnonzero(np.diff(self._starts) > self._count * _OFTEN)
        self._column = np.full(width, -1)
        self._column[often] = np.arange(len(often))
        self._columns = np.zeros((len(often), self._count), dtype=np.float32)
        for column, feature in enumerate(often):
            span = slice(self._starts[feature], self._starts[feature + 1])
            self._columns[column, self._who[span]] = self._weight[span]

    def alike(self, row: Row) -> NDArray[np.float64]:
        """The cosine of ``row`` and each question."""
        column = self._column[row.at]
        often, rare = column >= 0, column < 0
        weighed = self._columns[column[often]]
        weighed *= row.weight[often, np.newaxis]
        alike: NDArray[np.float64] = weighed.sum(axis=0, dtype=np.float64)
        alike += self._listed(row.at[rare], row.weight[rare])
        return alike

    def _listed(self, at: NDArray[np.int32], own: NDArray[np.float32]) -> NDArray[np.float64]:
        if not len(at):
            return np.zeros(self._count)
        starts, ends = self._starts[at], self._starts[at + 1]
        spans = list(map(slice, starts.tolist(), ends.tolist()))
        weight = np.concatenate([self._weight[span] for span in spans])
        weight *= np.repeat(own, ends - starts)
        who = np.concatenate([self._who[span] for span in spans])
        listed = np.bincount(who, weights=weight, minlength=self._count)
        return listed.astype(np.float64, copy=False)


def _grouped(labels: Sequence[_L]) -> tuple[list[_L], NDArray[np.int64], NDArray[np.int64]]:
    """The different labels in their order, the places sorted by label, and where among these each
    label begins: what ``reduceat`` needs for one value a label.
    """
    different = list(dict.fromkeys(labels))
    number = {label: at for at, label in enumerate(different)}
    of = np.array([number[label] for label in labels], dtype=np.int64)
    order = np.argsort(of, kind="stable")
    return different, order, np.searchsorted(of[order], np.arange(len(different)))


def _above_zero(labels: Sequence[_L], values: NDArray[np.float64]) -> dict[_L, float]:
    return {label: value for label, value in zip(labels, values.tolist(), strict=True) if value}
