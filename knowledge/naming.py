"""Which matter a text names: characters first, syllables second, weighed by how telling they are.

Every name, alias and phrasing of a matter is cut into runs of 1 to 3 signs. A run weighs more
the fewer matters use it (inverse document frequency), and little where it belongs to asking
rather than to a matter (怎么, 需要). Nothing is trained, so an index is rebuilt in the moment an
editor publishes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.matters import MatterEntry
from knowledge.signs import Signs, signs

_LENGTH_WEIGHT = {1: 0.5, 2: 1.0, 3: 0.6}
_SOUND_CREDIT = 0.8
_ASKING_WEIGHT = 0.2
_SHORTLIST = 24
_COMMON_SHARE = 0.34
_LEAST_SHARE = 0.15
"""What a run weighs that only one of many names of a matter uses: mostly chance neighbours."""


@dataclass(frozen=True, slots=True)
class Named:
    """How well a text names one matter; every share lies between 0 and 1.

    ``cover``: how much of the best fitting name stands in the text. ``explained``: how much of
    what the text says about matters this matter explains. ``written``: the share of the evidence
    that rests on characters, not on sounds. ``exact``: the longest name that stands in the text
    word for word, in signs (0 if none).
    """

    matter: str
    cover: float
    explained: float
    written: float
    exact: int

    @property
    def strength(self) -> float:
        """Orders matters: a name hit well that leaves little unexplained."""
        return self.cover * self.explained


@dataclass(frozen=True, slots=True)
class _Gram:
    chars: str
    sounds: str
    weight: float

    def times(self, factor: float) -> _Gram:
        return _Gram(self.chars, self.sounds, self.weight * factor)


@dataclass(frozen=True, slots=True)
class _Matter:
    code: str
    names: tuple[tuple[_Gram, ...], ...]
    plain: tuple[str, ...]
    chars: frozenset[str]
    sounds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Naming:
    """The matters a text may name, best first, and how much it says about matters at all.

    ``evidence`` is the weight of all runs that any matter uses; about 3 for one telling word.
    """

    found: tuple[Named, ...]
    evidence: float


class NamingIndex:
    """All matters, ready to be looked up. Immutable."""

    def __init__(
        self, matters: Sequence[MatterEntry], asking: Iterable[str], telling: Iterable[str] = ()
    ) -> None:
        """``asking``: how people ask, without any matter; its runs are little evidence unless
        they hold one of the signs ``telling``.
        """
        cut = [[signs(name) for name in matter.names] for matter in matters]
        self._asking = _asking_runs(asking, tuple(telling))
        self._frequency = _document_frequency(cut)
        self._count = len(matters)
        self._matters = tuple(
            self._prepared(matter.code, names) for matter, names in zip(matters, cut, strict=True)
        )
        self._postings = self._posted()

    def find(self, text: str, given: frozenset[str] = frozenset()) -> Naming:
        """The matters that ``text`` may name, best first.

        ``given``: runs of characters that count as said, because the talk is about them.
        """
        said = signs(text)
        own = self._grams(text)
        grams = own + [self._gram(run, "", len(run)) for run in sorted(given)]
        shortlist = self._shortlist(grams)
        best = {gram.chars: self._known_weight(gram, shortlist) for gram in grams}
        total = sum(best.values())
        if not total:
            return Naming((), 0.0)
        chars = {gram.chars for gram in grams}
        sounds = {gram.sounds for gram in grams if " " in gram.sounds}
        found = [self._measured(matter, said, grams, chars, sounds, total) for matter in shortlist]
        found.sort(key=lambda named: (-named.strength, named.matter))
        return Naming(tuple(found), sum(best[run] for run in {gram.chars for gram in own}))

    def _measured(
        self, matter: _Matter, said: Signs, grams: list[_Gram], chars: set[str],
        sounds: set[str], total: float,
    ) -> Named:  # fmt: skip
        covers = [_cover(name, chars, sounds) for name in matter.names]
        seen: dict[str, tuple[float, float]] = {}
        for gram in grams:
            if gram.chars in matter.chars:
                seen[gram.chars] = (gram.weight, gram.weight)
            elif " " in gram.sounds and gram.sounds in matter.sounds:
                seen[gram.chars] = (gram.weight * _SOUND_CREDIT, 0.0)
        explained = sum(weight for weight, _ in seen.values())
        written = sum(weight for _, weight in seen.values())
        return Named(
            matter.code,
            max(covers, default=0.0),
            explained / total,
            written / explained if explained else 0.0,
            max((len(name) for name in matter.plain if name in said.text), default=0),
        )

    def telling(self, text: str, among: Collection[str]) -> float:
        """How much ``text`` says to tell some of the matters ``among`` from their siblings: the
        weight of its runs, less what more than a third of them use.
        """
        kin = [matter for matter in self._matters if matter.code in among]
        common = len(kin) * _COMMON_SHARE
        total = 0.0
        for gram in {gram.chars: gram for gram in self._grams(text)}.values():
            users = sum(1 for matter in kin if gram.chars in matter.chars)
            if not users and " " in gram.sounds:
                users = sum(1 for matter in kin if gram.sounds in matter.sounds)
            if users:
                total += gram.weight * max(0.0, 1.0 - users / common)
        return total

    def _grams(self, text: str) -> list[_Gram]:
        return [self._gram(chars, sounds, n) for _, n, chars, sounds in signs(text).grams()]

    def known(self, run: str, sounds: str) -> bool:
        """Whether any matter uses this run of signs, by character or by sound."""
        return run in self._frequency or (" " in sounds and f"~{sounds}" in self._frequency)

    def _weight(self, chars: str, length: int) -> float:
        frequency = self._frequency.get(chars, 1)
        weight = math.log1p(self._count / frequency) * _LENGTH_WEIGHT.get(length, 0.6)
        return weight * (_ASKING_WEIGHT if chars in self._asking else 1.0)

    def _gram(self, chars: str, sounds: str, length: int) -> _Gram:
        weight = self._weight(chars, length)
        if chars not in self._frequency and f"~{sounds}" in self._frequency:
            heard = math.log1p(self._count / self._frequency[f"~{sounds}"])
            weight = min(weight, heard * _LENGTH_WEIGHT.get(length, 0.6))
            weight *= _ASKING_WEIGHT if f"~{sounds}" in self._asking else 1.0
        return _Gram(chars, sounds, weight)

    def _prepared(self, code: str, names: list[Signs]) -> _Matter:
        used = Counter(run for name in names for run in {chars for _, _, chars, _ in name.grams()})
        grams = tuple(
            tuple(
                self._gram(chars, sounds, n).times(_LEAST_SHARE + used[chars] / len(names))
                for _, n, chars, sounds in name.grams()
            )
            for name in names
        )
        flat = [gram for name in grams for gram in name]
        return _Matter(
            code,
            grams,
            tuple(name.text for name in names),
            frozenset(gram.chars for gram in flat),
            frozenset(gram.sounds for gram in flat if " " in gram.sounds),
        )

    def _posted(self) -> Mapping[str, NDArray[np.int32]]:
        postings: dict[str, list[int]] = {}
        for at, matter in enumerate(self._matters):
            for key in (*matter.chars, *(f"~{sounds}" for sounds in matter.sounds)):
                postings.setdefault(key, []).append(at)
        return {key: np.array(places, dtype=np.int32) for key, places in postings.items()}

    def _shortlist(self, grams: list[_Gram]) -> list[_Matter]:
        scores = np.zeros(self._count, dtype=np.float32)
        for gram in {gram.chars: gram for gram in grams}.values():
            if gram.chars in self._postings:
                scores[self._postings[gram.chars]] += gram.weight * (1 - _SOUND_CREDIT)
            if f"~{gram.sounds}" in self._postings:
                scores[self._postings[f"~{gram.sounds}"]] += gram.weight * _SOUND_CREDIT
            elif gram.chars in self._postings:
                scores[self._postings[gram.chars]] += gram.weight * _SOUND_CREDIT
        best = np.argsort(-scores, kind="stable")[:_SHORTLIST]
        return [self._matters[int(at)] for at in best if scores[at] > 0]

    @staticmethod
    def _known_weight(gram: _Gram, shortlist: list[_Matter]) -> float:
        if any(gram.chars in matter.chars for matter in shortlist):
            return gram.weight
        if " " in gram.sounds and any(gram.sounds in matter.sounds for matter in shortlist):
            return gram.weight * _SOUND_CREDIT
        return 0.0


def _cover(name: tuple[_Gram, ...], chars: set[str], sounds: set[str]) -> float:
    total = sum(gram.weight for gram in name)
    hit = sum(
        gram.weight if gram.chars in chars else
        gram.weight * _SOUND_CREDIT if gram.sounds in sounds else 0.0
        for gram in name
    )  # fmt: skip
    return hit / total if total else 0.0


def _asking_runs(asking: Iterable[str], telling: tuple[str, ...]) -> frozenset[str]:
    seen: Counter[str] = Counter()
    for text in asking:
        runs = {
            run
            for _, _, chars, sounds in signs(text).grams()
            if not any(sign in chars for sign in telling)
            for run in (chars, f"~{sounds}")
        }
        seen.update(runs)
    return frozenset(run for run, times in seen.items() if times > 1)


def _document_frequency(cut: list[list[Signs]]) -> Counter[str]:
    frequency: Counter[str] = Counter()
    for names in cut:
        runs: set[str] = set()
        for name in names:
            for _, length, chars, sounds in name.grams():
                runs.add(chars)
                if length > 1:
                    runs.add(f"~{sounds}")
        frequency.update(runs)
    return frequency
