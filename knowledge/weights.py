"""What a run of 1 to 3 signs is worth as evidence for a matter."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

from knowledge.asking import Phrasings
from knowledge.signs import Signs, signs

_LENGTH_WEIGHT = {1: 0.5, 2: 1.0, 3: 0.6}
_LITTLE = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring signs with their weight.

    ``heard``: their sounds, joined by spaces; '' for a single sign, which is not to be trusted by
    its sound alone.
    """

    chars: str
    heard: str
    weight: float


class RunWeights:
    """Weighs runs: the fewer matters use one, the more it tells (inverse document frequency).

    Little is left of a run that belongs to asking rather than to a matter (怎么, 需要), that has
    a sign in it that only joins words (的), or that straddles the edge of a word which a whole
    family shares (作公 in 工作公积金).
    """

    def __init__(
        self, matters: Sequence[Sequence[Signs]], phrasings: Phrasings, anchors: Iterable[Signs]
    ) -> None:
        """``matters``: the names of each matter, cut into signs."""
        self._count = len(matters)
        self._frequency: Counter[str] = _document_frequency(matters)
        self._asking = _asking_runs(phrasings)
        self._idle = re.compile("|".join(map(re.escape, phrasings.idle)) or "(?!)")
        self._edges = frozenset(edge for anchor in anchors for edge in _edges(anchor))

    def changed(
        self, gone: Sequence[Sequence[Signs]], come: Sequence[Sequence[Signs]]
    ) -> RunWeights:
        """The weights where some matters are gone and others have come, by their names."""
        fresh = copy(self)
        fresh._count = self._count + len(come) - len(gone)
        fresh._frequency = self._frequency.copy()
        fresh._frequency.subtract(_document_frequency(gone))
        fresh._frequency.update(_document_frequency(come))
        for run in _document_frequency(gone):
            if not fresh._frequency[run]:
                del fresh._frequency[run]
        return fresh

    def runs(self, text: Signs) -> list[Run]:
        """All runs of ``text`` with their weights."""
        return [self.run(chars, sounds, length) for _, length, chars, sounds in text.grams()]

    def run(self, chars: str, sounds: str, length: int) -> Run:
        """One run; a run that no matter uses is weighed by its sound if that is in use."""
        heard = f"~{sounds}"
        by_sound = chars not in self._frequency and heard in self._frequency
        frequency = self._frequency.get(heard if by_sound else chars, 1)
        weight = math.log1p(self._count / frequency) * _LENGTH_WEIGHT[min(length, 3)]
        little = (
            chars in self._asking
            or (by_sound and heard in self._asking)
            or self._idle.search(chars) is not None
            or self._straddles(sounds.split(" "))
        )
        return Run(chars, sounds if " " in sounds else "", weight * (_LITTLE if little else 1.0))

    def known(self, chars: str, sounds: str) -> bool:
        """Whether any matter uses this run, by character or, where audible, by sound."""
        return chars in self._frequency or (" " in sounds and f"~{sounds}" in self._frequency)

    def _straddles(self, sounds: list[str]) -> bool:
        for k in range(1, len(sounds)):
            if ("<", tuple(sounds[-k:])) in self._edges or (">", tuple(sounds[:k])) in self._edges:
                return True
        return False


def _edges(anchor: Signs) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Beginnings and ends of a shared word, by sound: what a straddling run ends or begins with."""
    length = len(anchor.syllables)
    for k in range(1, length):
        yield "<", anchor.syllables[:k]
        yield ">", anchor.syllables[-k:]


def _asking_runs(phrasings: Phrasings) -> frozenset[str]:
    seen: Counter[str] = Counter()
    for text in phrasings.all + phrasings.common * 2:
        runs = {
            run
            for _, _, chars, sounds in signs(text).grams()
            if not any(sign in chars for sign in phrasings.telling)
            for run in (chars, f"~{sounds}")
        }
        seen.update(runs)
    return frozenset(run for run, times in seen.items() if times > 1)


def _document_frequency(matters: Sequence[Sequence[Signs]]) -> Counter[str]:
    frequency: Counter[str] = Counter()
    for names in matters:
        runs: set[str] = set()
        for name in names:
            for _, length, chars, sounds in name.grams():
                runs.add(chars)
                if length > 1:
                    runs.add(f"~{sounds}")
        frequency.update(runs)
    return frequency
