"""Which matters a turn is about: named in its words, or carried on from the talk before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.asking import Phrasings
from knowledge.decision import Calibration, Thresholds
from knowledge.matters import MatterEntry
from knowledge.naming import Naming, NamingIndex
from knowledge.signs import Signs, signs

_FAMILY_SHARE = 0.6
_FAMILY_LEAST = 3


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
        self, matters: Sequence[MatterEntry], phrasings: Phrasings,
        thresholds: Thresholds, calibration: Calibration,
    ) -> None:  # fmt: skip
        """``phrasings``: how people ask, whatever the matter."""
        self._index = NamingIndex(matters, phrasings.all, phrasings.telling)
        self._shared = _shared_runs(matters)
        self._anchors = _anchors(matters)
        self._kin = _kin(matters)
        self._asking = _runs(phrasings.all)
        self._thresholds = thresholds
        self._calibration = calibration

    def judge(self, text: str, matter: str) -> Topic:
        """What ``text`` is about, in a talk about ``matter`` ('' for none)."""
        plain = self._index.find(text)
        chances = self._chances(text, plain)
        strange = self._strange(text)
        if not matter or (chances and chances[0][1] >= self._thresholds.matter):
            follows = bool(chances) and family(chances[0][0]) == family(matter)
            return Topic(self._whole_family(text, plain) or chances, follows, strange)
        return self._followed(text, matter, plain, strange)

    def _followed(self, text: str, matter: str, plain: Naming, strange: float) -> Topic:
        limits = self._thresholds
        if plain.evidence >= limits.telling:
            given = self._shared.get(family(matter), frozenset())
            chances = self._calibration.chances(self._index.find(text, given), anchored=True)
            best = chances[0][0]
            own = family(best) == family(matter)
            if own and best != matter and chances[0][1] >= limits.follow_matter:
                return Topic(chances, True, strange)
        chances = self._chances(text, plain)
        if strange < limits.strange:
            others = tuple(pair for pair in chances if pair[0] != matter)
            return Topic(((matter, limits.carried), *others), True, strange)
        return Topic(chances, False, strange)

    def _chances(self, text: str, naming: Naming) -> tuple[tuple[str, float], ...]:
        anchored = not naming.found or self._anchored(text, family(naming.found[0].matter))
        return self._calibration.chances(naming, anchored)

    def _anchored(self, text: str, kin: str) -> bool:
        """Whether ``text`` says what all matters of a family are called, if they share a name."""
        anchor = self._anchors.get(kin)
        if anchor is None:
            return True
        said = signs(text)
        sounds = f" {' '.join(said.syllables)} "
        return anchor.text in said.text or f" {' '.join(anchor.syllables)} " in sounds

    def _whole_family(self, text: str, naming: Naming) -> tuple[tuple[str, float], ...]:
        """All matters of a family, alike, where the text tells none of them from the others."""
        if not naming.found:
            return ()
        best = naming.found[0]
        kin = family(best.matter)
        anchor = self._anchors.get(kin)
        if anchor is None or not self._anchored(text, kin) or best.exact > len(anchor.chars) + 1:
            return ()
        if self._index.telling(text, self._kin[kin]) >= self._thresholds.telling:
            return ()
        alike = self._thresholds.matter * 0.8
        return tuple((code, alike) for code in self._kin[kin])

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


def _kin(matters: Sequence[MatterEntry]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for matter in matters:
        found.setdefault(family(matter.code), []).append(matter.code)
    return {kin: tuple(codes) for kin, codes in found.items()}


def _names(matters: Sequence[MatterEntry]) -> dict[str, list[Signs]]:
    found: dict[str, list[Signs]] = {}
    for matter in matters:
        found.setdefault(family(matter.code), []).append(signs(matter.name))
    return found


def _shared_runs(matters: Sequence[MatterEntry]) -> dict[str, frozenset[str]]:
    """The runs that most names of a family share: nobody repeats them in a follow-up."""
    shared: dict[str, frozenset[str]] = {}
    for kin, names in _names(matters).items():
        counted = Counter(
            run for name in names for run in {chars for _, _, chars, _ in name.grams()}
        )
        least = max(2.0, len(names) * _FAMILY_SHARE)
        shared[kin] = frozenset(run for run, times in counted.items() if times >= least)
    return shared


def _anchors(matters: Sequence[MatterEntry]) -> dict[str, Signs]:
    """The longest run of 2 or 3 signs in the names of all matters of a family (公积金)."""
    anchors: dict[str, Signs] = {}
    for kin, names in _names(matters).items():
        common = frozenset.intersection(
            *(frozenset(chars for _, n, chars, _ in name.grams() if n > 1) for name in names)
        )
        if len(names) >= _FAMILY_LEAST and common:
            anchors[kin] = signs(max(common, key=lambda run: (len(run), run)))
    return anchors
