"""Which matter a text names: characters first, syllables second, weighed by how telling they are.

Every name, alias and phrasing of a matter is cut into runs of 1 to 3 signs. Nothing is trained,
so an index is made anew in the moment an editor publishes; of very many matters, only those that
were changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import mul

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import Phrasings
from knowledge.families import anchors, family
from knowledge.matters import MatterEntry
from knowledge.signs import Signs, signs
from knowledge.weights import Run, RunWeights

_SOUND_CREDIT = 0.8
"""What a run is worth that is only heard alike: a match by characters always outranks it."""

_SHORTLIST = 12
_MANY = 400
_COMMON_SHARE = 0.5
_OTHER_FAMILY = 0.6
_LEAST_SHARE = 0.15
"""What a run weighs that only one of many names of a matter uses: mostly chance neighbours."""


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


_Shares = tuple[tuple[int, float], ...]
"""Which of a matter's names have a run (by number), and how much of the name it is."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """``chars``: who uses each run; ``heard``: by its sounds, the runs that sound so."""

    code: str
    names: tuple[str, ...]
    cut: tuple[Signs, ...]
    plain: tuple[str, ...]
    chars: Mapping[str, _Shares]
    heard: Mapping[str, tuple[tuple[str, _Shares], ...]]

    def cover(self, chars: Collection[str], heard: Collection[str]) -> float:
        """How much of the best fitting name is among the ``chars`` said or the sounds ``heard``."""
        hits = [0.0] * len(self.names)
        for run in chars:
            for at, share in self.chars.get(run, ()):
                hits[at] += share
        for sounds in heard:
            for run, shares in self.heard.get(sounds, ()):
                if run not in chars:
                    for at, share in shares:
                        hits[at] += share * _SOUND_CREDIT
        return max(hits)

    def has(self, run: Run) -> float:
        """1 where the matter uses the run, less where only its sound, else 0."""
        if run.chars in self.chars:
            return 1.0
        return _SOUND_CREDIT if run.heard in self.heard else 0.0


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
        self._postings = _posted(self._matters)

    def find(
        self, text: str, given: frozenset[str] = frozenset(), also: Collection[str] = ()
    ) -> Naming:
        """The matters that ``text`` may name, and those of the codes ``also``.

        ``given``: runs of characters that count as said, because the talk is about them.
        """
        said = signs(text)
        own = {run.chars: run for run in self._weights.runs(said)}
        runs = own | {chars: self._weights.run(chars, "", len(chars)) for chars in given}
        shortlist = self._shortlist(runs.values(), also)
        if not shortlist:
            return Naming((), 0.0)
        shares = [[matter.has(run) for run in runs.values()] for matter in shortlist]
        weights = [run.weight for run in runs.values()]
        known = [
            weight * has
            for weight, has in zip(weights, map(max, *shares, [0.0] * len(weights)), strict=True)
        ]
        total = sum(known) or 1.0
        heard = frozenset(run.heard for run in runs.values() if run.heard)
        families, whole = self.families(text), said.text
        found = [
            Named(
                matter.code,
                matter.cover(runs, heard),
                sum(map(mul, weights, has)) / total * _fits(matter.code, families),
                max((len(name) for name in matter.plain if name in whole), default=0),
            )
            for matter, has in zip(shortlist, shares, strict=True)
        ]
        found.sort(key=lambda named: (-named.strength, named.matter))
        return Naming(tuple(found), sum(known[: len(own)]))

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
        kin = [matter for matter in self._matters if matter.code in among]
        common = len(kin) * _COMMON_SHARE
        total = 0.0
        for run in {run.chars: run for run in self._weights.runs(signs(text))}.values():
            users = sum(1 for matter in kin if matter.has(run))
            if users:
                total += run.weight * max(0.0, 1.0 - users / common)
        return total

    def matched(self, text: str, code: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The parts of ``text`` that the matter's names have too: by their characters, and those
        of which only the sound is alike. Two signs at least.
        """
        said = signs(text)
        marks = ["."] * len(said.chars)
        if code in self._places:
            matter = self._matters[self._places[code]]
            for start, length, chars, sounds in said.grams():
                for at in range(start, start + length):
                    if length > 1 and chars in matter.chars:
                        marks[at] = "c"
                    elif length > 1 and sounds in matter.heard and marks[at] == ".":
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
        chars: dict[str, list[tuple[int, float]]] = {}
        heard: dict[str, dict[str, list[tuple[int, float]]]] = {}
        for at, runs in enumerate(cut):
            weights = [run.weight * self._share(run.chars, used, len(names)) for run in runs]
            whole = sum(weights) or 1.0
            for run, weight in zip(runs, weights, strict=True):
                chars.setdefault(run.chars, []).append((at, weight / whole))
                if run.heard:
                    alike = heard.setdefault(run.heard, {})
                    alike.setdefault(run.chars, []).append((at, weight / whole))
        return _Matter(
            matter.code,
            matter.names,
            names,
            tuple(name.text for name in names if name.chars),
            {run: tuple(shares) for run, shares in chars.items()},
            {
                sounds: tuple((run, tuple(shares)) for run, shares in alike.items())
                for sounds, alike in heard.items()
            },
        )

    def _share(self, chars: str, used: Mapping[str, int], names: int) -> float:
        """A run counts in its name by how many of the matter's names use it; what the whole
        family shares hardly counts: saying 公积金 does not yet name one of its matters.
        """
        if chars in self._shared:
            return _LEAST_SHARE
        return _LEAST_SHARE + used[chars] / names

    def _shortlist(self, runs: Collection[Run], also: Collection[str]) -> list[_Matter]:
        """The matters with the most evidence, and those ``also`` asked for."""
        scores = np.zeros(len(self._matters), dtype=np.float32)
        for run in runs:
            by_chars = self._postings.get(run.chars)
            by_sound = self._postings.get(f"~{run.heard}")
            if by_sound is not None:
                scores[by_sound] += run.weight * _SOUND_CREDIT
            if by_chars is not None:
                left = 1.0 - _SOUND_CREDIT if by_sound is not None else 1.0
                scores[by_chars] += run.weight * left
        if len(scores) > _SHORTLIST:
            top = np.argpartition(-scores, _SHORTLIST)[:_SHORTLIST]
        else:
            top = np.arange(len(scores))
        wanted = {int(at) for at in top if scores[at] > 0}
        wanted.update(self._places[code] for code in also if code in self._places)
        return [self._matters[at] for at in sorted(wanted)]


def _unchanged(old: _Matter | None, matter: MatterEntry) -> _Matter | None:
    return old if old is not None and old.names == matter.names else None


def _fits(code: str, families: Collection[str]) -> float:
    """Less than 1 for a matter outside the families that the text names."""
    return _OTHER_FAMILY if families and family(code) not in families else 1.0


def _posted(matters: Sequence[_Matter]) -> Mapping[str, NDArray[np.int32]]:
    postings: dict[str, list[int]] = {}
    for at, matter in enumerate(matters):
        for key in (*matter.chars, *(f"~{heard}" for heard in matter.heard)):
            postings.setdefault(key, []).append(at)
    return {key: np.array(places, dtype=np.int32) for key, places in postings.items()}
