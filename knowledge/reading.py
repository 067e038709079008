"""A text as the classifiers see it: whole and in clauses, with what each is taken for.

A long text is a story with a question in it. Typed, its clauses stand between marks; spoken,
there are none, so it is looked at through windows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import NOTHING
from knowledge.features import Row
from knowledge.learned import GENERIC, OUTSIDE, Learned
from knowledge.linear import Linear
from knowledge.memory import Memory, Near
from knowledge.signs import Signs, signs

_CLAUSE = re.compile(r"[，。！？；,.!?;]+")
_LONG = 14
_MOST_CLAUSES = 6
_WINDOW = 18
_RECENT = 128
"""Texts whose reading is kept, some 30 kB each: a turn is looked up two to four times (inside its
talk, by itself, as a choice among options), and on the telephone once more before it has ended.
"""
_UNLEARNED = (-1.35, 1.1, 2.3)
"""The score of a matter that the classifier has not met: what one that it knows has where names
and old questions say as much: a constant, what the nearest question adds and what the name adds
(least squares over the sample city's golden questions, meant matters and others)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """``matters``: scores by code (about -1 to 1), of ``outside`` (something that is no matter
    here) and ``generic`` (no word of what it is about) too; ``near``: how near old questions
    come; ``aspects``: scores by aspect, of ``NOTHING`` too. ``late``: the matters among them that
    came after the training, so that ``outside`` may mean them.
    """

    matters: Mapping[str, float]
    outside: float
    generic: float
    near: Near
    aspects: Mapping[str, float]
    late: frozenset[str] = frozenset()

    def trained(self, code: str) -> bool:
        """Whether the classifier learned the matter together with the others."""
        return code in self.matters and code not in self.late

    def matter(self, code: str, named: float = 0.0) -> float:
        """The score of a matter. Of one never learned, what names and old questions make likely:
        not to be known to the classifier speaks neither for it nor against it. ``named``: how
        well the text names it, 0 to 1.
        """
        score = self.matters.get(code)
        if score is not None:
            return score
        base, near, name = _UNLEARNED
        return base + near * self.near.matters.get(code, 0.0) + name * named


class Reader:
    """The classifiers and the old questions; ``late``: what scores matters that came later.
    Immutable.
    """

    def __init__(self, learned: Learned, memory: Memory, late: Linear | None = None) -> None:
        """``memory``: the old questions, in the vocabulary of ``learned`` or more."""
        self.learned = learned
        self.memory = memory
        self.late = late
        self._recent = lru_cache(_RECENT)(self._made)

    def read(self, text: str, about: str) -> Reading:
        """What they make of ``text``; ``about`` is the same without what was taken back, which
        names no matter.
        """
        return self._recent(text, about)

    def _made(self, text: str, about: str) -> Reading:
        return _read(text, about, self.learned, self.memory, self.late)


def _read(text: str, about: str, learned: Learned, memory: Memory, late: Linear | None) -> Reading:
    vocabulary = memory.vocabulary
    rows = [vocabulary.row(part) for part in parts(about)]
    scores = _weighed(learned.matters, rows)
    matters = dict(zip(learned.matters.labels, scores.tolist(), strict=True))
    fresh: dict[str, float] = {}
    if late is not None:
        fresh = dict(zip(late.labels, _weighed(late, rows).tolist(), strict=True))
    asked = rows if about == text else [vocabulary.row(part) for part in parts(text)]
    outside, generic = matters.pop(OUTSIDE, -1.0), matters.pop(GENERIC, -1.0)
    aspects = _aspects(learned.aspects, asked)
    near = memory.near(rows)
    return Reading(matters | fresh, outside, generic, near, aspects, frozenset(fresh))


def parts(text: str) -> list[Signs]:
    """The whole text, then the clauses of a long one, the last ones if there are many."""
    whole = signs(text)
    if len(text) <= _LONG:
        return [whole]
    clauses = [signs(part) for part in _CLAUSE.split(text) if len(part) > 1]
    if len(clauses) < 2:
        return [whole, *_windows(whole)]
    return [whole, *clauses[-_MOST_CLAUSES:]]


def _windows(whole: Signs) -> list[Signs]:
    if len(whole.chars) <= _WINDOW + _WINDOW // 2:
        return []
    starts = range(0, len(whole.chars) - _WINDOW // 2, _WINDOW // 2)
    cut = [
        Signs(whole.chars[at : at + _WINDOW], whole.syllables[at : at + _WINDOW]) for at in starts
    ]
    return cut[-_MOST_CLAUSES:]


def _weighed(model: Linear, rows: Sequence[Row]) -> NDArray[np.float32]:
    """The whole text, and for each label the clause that speaks most clearly of it."""
    if len(rows) == 1:
        return model.scores(rows[0])
    scores: NDArray[np.float32] = np.stack([model.scores(row) for row in rows])
    mixed: NDArray[np.float32] = np.maximum(scores[0], (scores[0] + scores[1:].max(axis=0)) / 2)
    return mixed


def _aspects(model: Linear, rows: Sequence[Row]) -> dict[str, float]:
    """The whole text and the clause that asks most clearly, half and half."""
    scores = np.stack([model.scores(row) for row in rows])
    mixed: NDArray[np.float32] = scores[0]
    if len(rows) > 1:
        nothing = model.labels.index(NOTHING)
        asked = np.delete(scores[1:], nothing, axis=1).max(axis=1)
        mixed = (mixed + scores[1 + int(asked.argmax())]) / 2
    return dict(zip(model.labels, mixed.tolist(), strict=True))
