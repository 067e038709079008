"""Which matters a turn is about: named in its words, or carried on from the talk before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.asking import Phrasings
from knowledge.decision import Calibration, Thresholds
from knowledge.families import anchors, family, members, shared_runs
from knowledge.matters import MatterEntry
from knowledge.naming import Naming, NamingIndex
from knowledge.signs import signs

_SAYS_SOMETHING = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """Matters with their chances (0 to 1), best first.

    ``follows``: the turn goes on with the family of matters that the talk was about. ``strange``:
    the share of its signs that belong to no word known here (0 for a sigh of one or two signs).
    ``carried``: the turn names no
    matter, the talk's own is taken.
    """

    chances: tuple[tuple[str, float], ...]
    follows: bool
    strange: float
    carried: bool = False

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
        self._index = NamingIndex(matters, phrasings)
        self._shared = shared_runs(matters)
        self._anchors = anchors(matters)
        self._kin = members(matters)
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
            unsaid = bool(chances) and chances[0][1] < self._thresholds.some_matter
            alike = self._whole_family(text, plain, unsaid and strange < self._thresholds.strange)
            return Topic(alike or chances, follows, strange)
        return self._followed(text, matter, plain, strange)

    def _followed(self, text: str, matter: str, plain: Naming, strange: float) -> Topic:
        limits = self._thresholds
        kin = family(matter)
        if self._index.telling(text, self._kin.get(kin, ())) >= limits.telling:
            given = self._index.find(text, self._shared.get(kin, frozenset()))
            chances = self._calibration.chances(given, anchored=True)
            if family(chances[0][0]) == kin and chances[0][1] >= limits.follow_matter:
                return Topic(chances, True, strange)
        chances = self._chances(text, plain)
        if strange < limits.strange:
            others = tuple(pair for pair in chances if pair[0] != matter)
            return Topic(((matter, limits.carried), *others), True, strange, carried=True)
        return Topic(chances, False, strange)

    def _chances(self, text: str, naming: Naming) -> tuple[tuple[str, float], ...]:
        anchored = not naming.found or self._anchored(text, family(naming.found[0].matter))
        return self._calibration.chances(naming, anchored)

    def _anchored(self, text: str, kin: str) -> bool:
        """Whether ``text`` says what all matters of a family are called, if they share a name."""
        return kin not in self._anchors or kin in self._index.families(text)

    def _whole_family(
        self, text: str, naming: Naming, unsaid: bool
    ) -> tuple[tuple[str, float], ...]:
        """All matters of a family, alike, where the text names the family and tells none of its
        matters from the others, or none well enough (``unsaid``).
        """
        if not naming.found:
            return ()
        best = naming.found[0]
        kin = family(best.matter)
        anchor = self._anchors.get(kin)
        if anchor is None or not self._anchored(text, kin) or best.exact > len(anchor.chars) + 1:
            return ()
        if not unsaid and self._index.telling(text, self._kin[kin]) >= self._thresholds.telling:
            return ()
        alike = self._thresholds.matter * 0.8
        return tuple((code, alike) for code in self._kin[kin])

    def _strange(self, text: str) -> float:
        said = signs(text)
        if len(said.chars) < _SAYS_SOMETHING:
            return 0.0
        known = [False] * len(said.chars)
        for start, length, chars, sounds in said.grams():
            if length > 1 and (self._index.known(chars, sounds) or self._asked(chars, sounds)):
                known[start : start + length] = [True] * length
        return known.count(False) / len(known) if known else 1.0

    def _asked(self, chars: str, sounds: str) -> bool:
        return chars in self._asking or f"~{sounds}" in self._asking


def _runs(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(
        run
        for text in texts
        for _, length, chars, sounds in signs(text).grams()
        if length > 1
        for run in (chars, f"~{sounds}")
    )
