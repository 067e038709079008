"""Which matter a text names: characters first, syllables second, weighed by how telling they are.

Every name, alias and phrasing of a matter is cut into runs of 1 to 3 signs. Nothing is trained,
so an index is made anew in the moment an editor publishes; of very many matters, only those that
were changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from knowledge.asking import Phrasings
from knowledge.families import anchors, family
from knowledge.matters import MatterEntry
from knowledge.runtable import NameRuns, RunTable, Said
from knowledge.signs import Signs, signs
from knowledge.weights import Run, RunWeights

_SHORTLIST = 12
_MANY = 400
_COMMON_SHARE = 0.5
_OTHER_FAMILY = 0.6
_LEAST_SHARE = 0.15
"""What a run weighs that only one of many names of a matter uses: mostly chance neighbours."""
_RECENT = 128
"""Texts of which what they name is kept: a turn is looked up two to four times (inside its talk,
by itself, as a choice among options), and on the telephone once more before it has ended.
"""


@dataclass(frozen=True, slots=True)
class Named:
    """How well a text names one matter; every share lies between 0 and 1.

    ``cover``: how much of the best fitting name stands in the text. ``explained``: how much of
    what the text says about matters this matter explains. ``exact``: the longest name that stands
    in the text word for word, in signs (0 if none).
    """

    matter: str
    cover: float
    explained: float
    exact: int

    @property
    def strength(self) -> float:
        """Orders matters: a name hit well that leaves little unexplained."""
        return self.cover * self.explained


@dataclass(frozen=True, slots=True)
class Naming:
    """The matters a text may name, best first, and how much it says about matters at all.

    ``evidence`` is the weight of all runs that any matter uses; about 3 for one telling word.
    """

    found: tuple[Named, ...]
    evidence: float


@dataclass(frozen=True, slots=True)
class _Matter:
    """``cut``: its names as signs, ``plain`` as texts; ``runs``: what they are made of."""

    code: str
    names: tuple[str, ...]
    cut: tuple[Signs, ...]
    plain: tuple[str, ...]
    runs: NameRuns


class NamingIndex:
    """All matters, ready to be looked up. Immutable."""

    def __init__(
        self, matters: Sequence[MatterEntry], phrasings: Phrasings,
        before: NamingIndex | None = None,
    ) -> None:  # fmt: skip
        """``phrasings``: how people ask, whatever the matter. ``before``: an index for the same
        phrasings. Of more than 400 matters, those of the same names are taken from it as they
        are: what one change among so many does to the weights of the others is next to nothing.
        """
        self._matters: tuple[_Matter, ...]
        self._weights: RunWeights
        old = {matter.code: matter for matter in before._matters} if before else {}
        kept = [_unchanged(old.get(matter.code), matter) for matter in matters]
        cut = [
            has.cut if has else tuple(signs(name) for name in matter.names)
            for matter, has in zip(matters, kept, strict=True)
        ]
        self._anchors = anchors(matters)
        words = self._anchors.values()
        same = before is not None and before._anchors == self._anchors
        still = {has.code for has in kept if has}
        if before is not None and same and len(matters) > _MANY:
            self._weights = before._weights.changed(
                [matter.cut for matter in old.values() if matter.code not in still],
                [names for names, has in zip(cut, kept, strict=True) if not has],
            )
        else:
            kept = [None] * len(matters)
            self._weights = RunWeights(cut, phrasings, words)
        self._shared = frozenset(run for word in words for _, _, run, _ in word.grams())
        self._matters = tuple(
            has or self._prepared(matter, names)
            for matter, names, has in zip(matters, cut, kept, strict=True)
        )
        self._places = {matter.code: at for at, matter in enumerate(self._matters)}
        self._table = RunTable([matter.runs for matter in self._matters])
        self._find = lru_cache(_RECENT)(self._found)
        self._said = lru_cache(_RECENT)(self._heard)

    def find(
        self, text: str, given: frozenset[str] = frozenset(), also: Collection[str] = ()
    ) -> Naming:
        """The matters that ``text`` may name, and those of the codes ``also``.

        ``given``: runs of characters that count as said, because the talk is about them.
        """
        return self._find(text, given, tuple(also))

    def _found(self, text: str, given: frozenset[str], also: tuple[str, ...]) -> Naming:
        said = self._said(text, given)
        shortlist = self._shortlist(said, also)
        if not shortlist:
            return Naming((), 0.0)
        has = self._table.has(said, shortlist)
        known = (said.weight * has.max(axis=1)).tolist()
        total = sum(known) or 1.0
        explained = (said.weight[:, np.newaxis] * has).sum(axis=0) / total
        cover = self._table.cover(said)[shortlist]
        families, whole = self.families(text), signs(text).text
        found = [
            Named(
                matter.code,
                covered,
                share * _fits(matter.code, families),
                max((len(name) for name in matter.plain if name in whole), default=0),
            )
            for matter, covered, share in zip(
                map(self._matters.__getitem__, shortlist), cover.tolist(), explained.tolist(),
                strict=True,
            )
        ]  # fmt: skip
        found.sort(key=lambda named: (-named.strength, named.matter))
        return Naming(tuple(found), sum(known[: said.own]))

    def _heard(self, text: str, given: frozenset[str]) -> Said:
        weights, table = self._weights, self._table
        runs = {chars: (sounds, length) for _, length, chars, sounds in signs(text).grams()}
        own = [
            weights.run(chars, sounds, length)
            for chars, (sounds, length) in runs.items()
            if chars in table or f"~{sounds}" in table  # no other is evidence for a matter
        ]
        return Said.of(table, own, [weights.run(chars, "", len(chars)) for chars in given])

    def families(self, text: str) -> frozenset[str]:
        """The families whose shared word (公积金) stands in ``text``, by character or by sound."""
        said = signs(text)
        sounds = f" {' '.join(said.syllables)} "
        return frozenset(
            kin
            for kin, word in self._anchors.items()
            if word.text in said.text or f" {' '.join(word.syllables)} " in sounds
        )

    def telling(self, text: str, among: Collection[str]) -> float:
        """How much ``text`` says to tell some of the matters ``among`` from their siblings: the
        weight of its runs, less what half of them use.
        """
        kin = [self._places[code] for code in among if code in self._places]
        common = len(kin) * _COMMON_SHARE
        said = self._said(text, frozenset())
        users = np.count_nonzero(self._table.has(said, kin), axis=1)
        used = users > 0
        left = np.maximum(0.0, 1.0 - users[used] / common)
        return float(said.weight[used] @ left)

    def matched(self, text: str, code: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The parts of ``text`` that the matter's names have too: by their characters, and those
        of which only the sound is alike. Two signs at least.
        """
        said = signs(text)
        marks = ["."] * len(said.chars)
        if code in self._places:
            keys = frozenset(self._matters[self._places[code]].runs.keys)
            for start, length, chars, sounds in said.grams():
                for at in range(start, start + length):
                    if length > 1 and chars in keys:
                        marks[at] = "c"
                    elif length > 1 and f"~{sounds}" in keys and marks[at] == ".":
                        marks[at] = "s"
        parts = [(mark, tuple(run)) for mark, run in groupby(range(len(marks)), marks.__getitem__)]
        words = [(mark, "".join(said.chars[at] for at in run)) for mark, run in parts]
        return (
            tuple(word for mark, word in words if mark == "c"),
            tuple(word for mark, word in words if mark == "s"),
        )

    def known(self, chars: str, sounds: str) -> bool:
        """Whether any matter uses this run of signs, by character or by sound."""
        return self._weights.known(chars, sounds)

    def _prepared(self, matter: MatterEntry, names: tuple[Signs, ...]) -> _Matter:
        cut = [self._weights.runs(name) for name in names]
        used = Counter(chars for runs in cut for chars in {run.chars for run in runs})
        shared: list[list[tuple[Run, float]]] = []
        for runs in cut:
            weights = [run.weight * self._share(run.chars, used, len(names)) for run in runs]
            whole = sum(weights) or 1.0
            shares = (weight / whole for weight in weights)
            shared.append(list(zip(runs, shares, strict=True)))
        plain = tuple(name.text for name in names if name.chars)
        return _Matter(matter.code, matter.names, names, plain, NameRuns.of(shared))

    def _share(self, chars: str, used: Mapping[str, int], names: int) -> float:
        """A run counts in its name by how many of the matter's names use it; what the whole
        family shares hardly counts: saying 公积金 does not yet name one of its matters.
        """
        if chars in self._shared:
            return _LEAST_SHARE
        return _LEAST_SHARE + used[chars] / names

    def _shortlist(self, said: Said, also: Collection[str]) -> list[int]:
        """The places of the matters with the most evidence, and of those ``also`` asked for."""
        scores = self._table.evidence(said)
        if len(scores) > _SHORTLIST:
            top = np.argpartition(-scores, _SHORTLIST)[:_SHORTLIST]
        else:
            top = np.arange(len(scores))
        wanted = set(top[scores[top] > 0].tolist())
        wanted.update(self._places[code] for code in also if code in self._places)
        return sorted(wanted)


def _unchanged(old: _Matter | None, matter: MatterEntry) -> _Matter | None:
    return old if old is not None and old.names == matter.names else None


def _fits(code: str, families: Collection[str]) -> float:
    """Less than 1 for a matter outside the families that the text names."""
    return _OTHER_FAMILY if families and family(code) not in families else 1.0
