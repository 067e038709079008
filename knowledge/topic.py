"""Which matters a turn is about: named in its words, or carried on from the talk before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.decision import Calibration, Thresholds
from knowledge.matters import MatterEntry
from knowledge.naming import Naming, NamingIndex
from knowledge.signs import signs

_FAMILY_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Topic:
    """Matters with their chances (0 to 1), best first.

    ``follows``: the turn goes on with the family of matters that the talk was about. ``strange``:
    the share of its signs that belong to no word known here.
    """

    chances: tuple[tuple[str, float], ...]
    follows: bool
    strange: float

    @property
    def matter(self) -> str:
        """The likeliest matter's code, '' if none."""
        return self.chances[0][0] if self.chances else ""

    @property
    def chance(self) -> float:
        """How likely it is."""
        return self.chances[0][1] if self.chances else 0.0


class Topics:
    """Judges which matter a turn is about. Immutable."""

    def __init__(
        self, matters: Sequence[MatterEntry], asking: Iterable[str],
        thresholds: Thresholds, calibration: Calibration,
    ) -> None:  # fmt: skip
        """``asking``: how people ask, whatever the matter."""
        asking = tuple(asking)
        self._index = NamingIndex(matters, asking)
        self._families = _family_runs(matters)
        self._asking = _runs(asking)
        self._thresholds = thresholds
        self._calibration = calibration

    def judge(self, text: str, matter: str) -> Topic:
        """What ``text`` is about, in a talk about ``matter`` ('' for none)."""
        plain = self._index.find(text)
        chances = self._chances(plain)
        strange = self._strange(text)
        if not matter or (chances and chances[0][1] >= self._thresholds.matter):
            follows = bool(chances) and family(chances[0][0]) == family(matter)
            return Topic(chances, follows, strange)
        return self._followed(text, matter, plain, strange)

    def _followed(self, text: str, matter: str, plain: Naming, strange: float) -> Topic:
        limits = self._thresholds
        if plain.evidence >= limits.telling:
            given = self._families.get(family(matter), frozenset())
            chances = self._chances(self._index.find(text, given))
            own = [(code, chance) for code, chance in chances if family(code) == family(matter)]
            if own and own[0] == chances[0] and own[0][1] >= limits.some_matter:
                return Topic(chances, True, strange)
        chances = self._chances(plain)
        if strange < limits.strange:
            others = tuple(pair for pair in chances if pair[0] != matter)
            return Topic(((matter, limits.carried), *others), True, strange)
        return Topic(chances, False, strange)

    def _chances(self, naming: Naming) -> tuple[tuple[str, float], ...]:
        found = naming.found
        if not found:
            return ()
        rivals = [found[1] if len(found) > 1 else None, *([found[0]] * (len(found) - 1))]
        return tuple(
            (named.matter, self._calibration.chance(named, rival))
            for named, rival in zip(found, rivals, strict=True)
        )

    def _strange(self, text: str) -> float:
        said = signs(text)
        known = [False] * len(said.chars)
        for start, length, chars, sounds in said.grams():
            if length > 1 and (self._index.known(chars, sounds) or self._asked(chars, sounds)):
                known[start : start + length] = [True] * length
        return known.count(False) / len(known) if known else 1.0

    def _asked(self, chars: str, sounds: str) -> bool:
        return chars in self._asking or f"~{sounds}" in self._asking


def family(code: str) -> str:
    """The family of a matter's code: ``gjj`` of ``gjj.rent``."""
    return code.partition(".")[0]


def _runs(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(
        run
        for text in texts
        for _, length, chars, sounds in signs(text).grams()
        if length > 1
        for run in (chars, f"~{sounds}")
    )


def _family_runs(matters: Sequence[MatterEntry]) -> dict[str, frozenset[str]]:
    """The runs that most names of a family share: nobody repeats them in a follow-up."""
    names: dict[str, list[frozenset[str]]] = {}
    for matter in matters:
        runs = frozenset(chars for _, _, chars, _ in signs(matter.name).grams())
        names.setdefault(family(matter.code), []).append(runs)
    shared: dict[str, frozenset[str]] = {}
    for code, runs_of in names.items():
        counted = Counter(run for runs in runs_of for run in runs)
        least = max(2.0, len(runs_of) * _FAMILY_SHARE)
        shared[code] = frozenset(run for run, times in counted.items() if times >= least)
    return shared
