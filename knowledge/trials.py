"""Labelled questions asked of a search that has not learned them: what calibration looks at.

Questions are held out fold by fold, near duplicates together. Whole matters are held out too:
their questions then have no answer, as a citizen's about a matter that nobody has written up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import NOTHING, Phrasings
from knowledge.decision import Calibration, Thresholds, aspect_worths
from knowledge.learned import learn
from knowledge.matters import MatterEntry
from knowledge.memory import Memory
from knowledge.naming import NamingIndex
from knowledge.othercity import of_another_city
from knowledge.reading import Reader, Reading
from knowledge.signs import signs
from knowledge.topic import Topics, Weighed
from turns.understood import ASPECTS

_FOLDS = 5
_LEFT_OUT = 6
_ALIKE = 0.6
_KEPT_OF_STRANGERS = 3
_STRANGER = 0.35
_UNASKED = ("那{}呢", "我想问{}的事", "{}的话", "关于{}我想了解")
"""How a matter is named and nothing asked of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A labelled question; ``matter`` is '' where none is meant, ``aspect`` where none is asked
    for.
    """

    text: str
    matter: str
    aspect: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What spoke for which matter and, for the matters in question, for which aspect.

    ``aspects``: codes × ``ASPECTS`` × ``ASPECT_WORTHS``; ``nothing``: the score of no aspect.
    ``weight``: how much it counts. ``kind``: how the text was changed, or ``outside``.
    """

    asked: Asked
    weighed: Weighed
    aspects: NDArray[np.float64]
    nothing: float
    weight: float
    kind: str


Answered = Mapping[str, frozenset[str]]
"""The aspects of each matter that have an answer."""

Noise = Callable[[str], str]


def trials(
    matters: Sequence[MatterEntry], answered: Answered, phrasings: Phrasings,
    outside: Sequence[str], noises: Mapping[str, Noise],
) -> Iterator[Trial]:  # fmt: skip
    """Every labelled question as it stands and with each of ``noises``, every sentence of
    ``outside``, and a part of the questions of matters that are then unknown.
    """
    asked = [Asked(text, matter.code, str(aspect)) for matter in matters
             for aspect, texts in matter.questions.items() for text in texts]  # fmt: skip
    fold = folds([one.text for one in asked])
    outside = [text for text in outside if not of_another_city(text)]  # a rule passes these
    strangers = [Asked(text, "", "") for text in outside]
    index = NamingIndex(matters, phrasings)
    kinds = {"typed": lambda text: text, **noises}
    for number in range(_FOLDS):
        out = frozenset(one.text for one, at in zip(asked, fold, strict=True) if at == number)
        judge = _Judge(
            [without(matter, out) for matter in matters], answered, phrasings,
            [text for at, text in enumerate(outside) if at % _FOLDS != number], index,
        )  # fmt: skip
        held = [one for one in asked if one.text in out]
        held += [
            Asked(_UNASKED[at % len(_UNASKED)].format(name), matter.code, "")
            for matter in matters
            for at, name in enumerate(matter.names)
            if at % _FOLDS == number
        ]
        for kind, noise in kinds.items():
            for one in held:
                yield judge.trial(replace(one, text=noise(one.text)), 1.0, kind)
        for one in strangers[number::_FOLDS]:
            yield judge.trial(one, 2.0, "outside")
    for number in range(0, _LEFT_OUT, 2):  # half of the groups are enough, and half the time
        kept = [matter for at, matter in enumerate(matters) if at % _LEFT_OUT != number]
        judge = _Judge(kept, answered, phrasings, outside, NamingIndex(kept, phrasings))
        gone = {matter.code for matter in matters} - {matter.code for matter in kept}
        for one in [one for one in asked if one.matter in gone][::_KEPT_OF_STRANGERS]:
            yield judge.trial(Asked(one.text, "", ""), _STRANGER, "unknown")


def without(matter: MatterEntry, texts: frozenset[str]) -> MatterEntry:
    """``matter`` with those of its questions that are not among ``texts``."""
    questions = {
        aspect: tuple(text for text in given if text not in texts)
        for aspect, given in matter.questions.items()
    }
    return replace(matter, questions=questions)


def folds(texts: Sequence[str], count: int = _FOLDS) -> list[int]:
    """A fold for each text, 0 to ``count`` - 1; near duplicates share theirs."""
    runs = [frozenset(chars for _, _, chars, _ in signs(text).grams(2)) for text in texts]
    head = list(range(len(texts)))
    holders: dict[str, list[int]] = {}
    for at, own in enumerate(runs):
        shared: dict[int, int] = {}
        for run in own:
            for other in holders.get(run, ()):
                shared[other] = shared.get(other, 0) + 1
            if len(run) > 1:
                holders.setdefault(run, []).append(at)
        for other, both in shared.items():
            if both * 2 >= _ALIKE * min(len(own), len(runs[other])):
                head[at] = head[other]
                break
    order = {first: place for place, first in enumerate(dict.fromkeys(head))}
    return [(order[first] * 7919 + 13) % count for first in head]


class _Judge:
    def __init__(
        self, matters: Sequence[MatterEntry], answered: Answered, phrasings: Phrasings,
        outside: Sequence[str], index: NamingIndex,
    ) -> None:  # fmt: skip
        learned = learn(matters, phrasings, outside)
        self._reader = Reader(learned, Memory.of(matters, learned))
        self._topics = Topics(index, matters, phrasings, Thresholds(), Calibration(), self._reader)
        self._answered = answered

    def trial(self, asked: Asked, weight: float, kind: str) -> Trial:
        reading = self._reader.read(asked.text, asked.text)
        weighed = self._topics.weigh(asked.text, reading)
        aspects = [self._aspects(code, reading) for code in weighed.codes]
        return Trial(
            asked, weighed, np.array(aspects), reading.aspects.get(NOTHING, 0.0), weight, kind
        )

    def _aspects(self, code: str, reading: Reading) -> NDArray[np.float64]:
        near = {aspect: reading.near.pairs.get((code, aspect), 0.0) for aspect in ASPECTS}
        there = self._answered.get(code, frozenset())
        return np.array(aspect_worths(reading.aspects, near, there))
