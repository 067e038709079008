"""Which matters a turn is about: named in its words, or carried on from the talk before it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import NOTHING, Phrasings, without_papers
from knowledge.carrying import carries
from knowledge.carrying import elliptic as another_case
from knowledge.decision import Calibration, Thresholds, leads
from knowledge.families import anchors, family, members, shared_runs
from knowledge.matters import MatterEntry
from knowledge.naming import Naming, NamingIndex
from knowledge.reading import Reader, Reading
from knowledge.signs import signs
from knowledge.strange import SAYS_SOMETHING, Strange

_LIKELY = 4
_SHORT = 8
_HARDLY = 0.2
"""Evidence that is none: 公积金怎么取 names no matter, whatever was mostly meant by it."""
_DOUBT = 0.2
_AWAY = re.compile("(?:在|从|到|是|去)?(?:异地|外地|外省|省外|外市|跨省|跨市|老家)(?:的(?=人|户))?")
_PLACE_ONLY = 2
"""Characters of a name that 异地 alone makes up."""
_ASTRAY = 0.1
"""The classifier's score of something outside all matters, from which on a turn that does not go
on with the talk ends it."""

_THEN = "那"
_MAY_STAY = 0.15
_STAYS = 0.5
_SURELY_STAYS = 0.85
"""The chance of still being about the talk's matter from which on the talk is not over, from which
on it is taken for that, and from which on no sibling is looked for."""

_LONG_NAME = 6
"""Signs from which on a name that stands in the text word for word is worth no more."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Matters with their chances (0 to 1), best first.

    ``follows``: the turn goes on with the family of matters that the talk was about. ``strange``:
    the share of its signs that belong to no word known here (0 for a sigh of one or two signs).
    ``carried``: the turn names no matter, the talk's own is taken. ``idle``: it asks for nothing
    and ends no talk (好的谢谢). ``again``: it only names another case, asked as the talk
    asked (小孩的呢).
    """

    chances: tuple[tuple[str, float], ...]
    follows: bool
    strange: float
    carried: bool = False
    idle: bool = False
    again: bool = False

    @property
    def matter(self) -> str:
        """The likeliest matter's code, '' if none."""
        return self.chances[0][0] if self.chances else ""

    @property
    def chance(self) -> float:
        """How likely it is."""
        return self.chances[0][1] if self.chances else 0.0

    def doubted(self) -> Topic:
        """The same matters, none of them likely enough for anything to be said."""
        chances = tuple((code, chance * _DOUBT) for code, chance in self.chances)
        return Topic(chances, False, 1.0)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks for each of ``codes`` (``worths``: codes × ``MATTER_WORTHS``) and for none of
    them (``none``: ``NONE_WORTHS``).
    """

    codes: tuple[str, ...]
    worths: NDArray[np.float64]
    none: NDArray[np.float64]


class Topics:
    """Judges which matter a turn is about. Immutable."""

    def __init__(
        self, index: NamingIndex, matters: Sequence[MatterEntry], phrasings: Phrasings,
        thresholds: Thresholds, calibration: Calibration, reader: Reader,
    ) -> None:  # fmt: skip
        """``phrasings``: how people ask, whatever the matter."""
        self._index = index
        self._shared = shared_runs(matters)
        self._anchors = anchors(matters)
        self._kin = members(matters)
        self._papers = phrasings.papers
        self._thresholds = thresholds
        self._calibration = calibration
        self._reader = reader
        self._strange = Strange(index.known, phrasings.all).share

    def judge(self, text: str, matter: str, reading: Reading | None = None) -> Topic:
        """What ``text`` is about, in a talk about ``matter`` ('' for none).

        ``reading``: what :meth:`Reader.read` made of it, if that is known already.
        """
        if matter and self._only_papers(text):
            return Topic(((matter, self._thresholds.carried),), True, 0.0, carried=True)
        if matter and self._only_away(text, matter):
            text, reading = _AWAY.sub("", text), None
        whole, again = text, bool(matter) and another_case(text)
        text = text.removeprefix(_THEN) if again else text
        bare = self._bare(text)  # 要不要带身份证 inside a talk is no question about the card
        if matter and bare != whole:
            reading = self._reader.read(bare, bare)
        reading = reading or self._reader.read(text, text)
        naming = self._naming(text, reading)
        strange = self._strange(text)
        chances = self._chances(self.weigh(text, reading, naming))
        named = bool(chances) and chances[0][1] >= self._thresholds.matter
        elliptic = self._elliptic(text, matter, naming, chances)
        stays = carries(whole, matter, dict(chances), strange, reading) if matter else 0.0
        if again and named and _else_named(naming, chances[0][0], matter):
            stays = min(stays, _MAY_STAY)  # 那身份证呢 names what it is about, 在外地呢 does not
        if not matter or (named and not elliptic and stays < _STAYS):
            follows = bool(chances) and family(chances[0][0]) == family(matter)
            top = chances[0][1] if chances else 0.0
            unsaid = 0.0 < top < self._thresholds.offer and strange < self._thresholds.strange
            alike = self._whole_family(text, naming, top, unsaid)
            return Topic(alike or chances, follows, strange, again=again)
        if stays < _MAY_STAY and len(signs(text).chars) >= SAYS_SOMETHING:
            strange = max(strange, float(reading.outside > max(reading.generic, _ASTRAY)))
        followed = self._followed(text, matter, chances, strange, stays)
        return replace(followed, idle=_idle(text, reading), again=again)

    def weigh(
        self, text: str, reading: Reading, naming: Naming | None = None, *, anchored: bool = False
    ) -> Weighed:
        """What speaks for which matter. ``naming``: what its names say, if that is known already.
        ``anchored``: the talk has said the word that all matters of a family share.
        """
        naming = naming or self._naming(text, reading)
        found = naming.found
        said = self._index.families(text)
        linear = [reading.matter(named.matter, named.strength) for named in found]
        near = [reading.near.matters.get(named.matter, 0.0) for named in found]
        columns = [
            [named.cover for named in found],
            [named.explained for named in found],
            [min(named.exact, _LONG_NAME) / _LONG_NAME for named in found],
            [named.strength for named in found],
            linear, near,
            leads([named.strength for named in found]), leads(linear), leads(near),
            [float(not anchored and not self._anchored(said, family(named.matter)))
             for named in found],
        ]  # fmt: skip
        outside = reading.outside
        if linear and not reading.trained(found[int(np.argmax(linear))].matter):
            outside = min(outside, -max(linear))  # it was learned before that matter was there
        none = [
            1.0, math.log1p(naming.evidence), outside, reading.generic,
            self._strange(text), max(near, default=0.0), max(linear, default=-1.0),
        ]  # fmt: skip
        return Weighed(tuple(named.matter for named in found), np.array(columns).T, np.array(none))

    def _naming(self, text: str, reading: Reading, given: frozenset[str] = frozenset()) -> Naming:
        """What the names say of the matters they and the classifiers find likely."""
        likely = _best(reading.matters, _LIKELY) + _best(reading.near.matters, _LIKELY)
        return self._index.find(self._bare(text), given, likely)

    def _only_away(self, text: str, matter: str) -> bool:
        """Whether what it says of another place is a circumstance of the talk's matter (异地能办吗,
        asked of a passport), and no name of another (异地就医呢).
        """
        if not _AWAY.search(text) or len(signs(_AWAY.sub("", text)).chars) < SAYS_SOMETHING:
            return False
        found = self._index.find(text, frozenset(), (matter,)).found
        return all(one.exact <= _PLACE_ONLY for one in found if one.matter != matter)

    def _bare(self, text: str) -> str:
        """``text`` without papers, unless nothing would be left to name a matter."""
        bare = without_papers(text, self._papers)
        return bare if len(bare) > SAYS_SOMETHING else text

    def _only_papers(self, text: str) -> bool:
        """Whether it is only asked if papers are to be brought (户口本要带吗)."""
        bare = without_papers(text, self._papers)
        return bare != text and len(signs(bare).chars) <= SAYS_SOMETHING

    def _followed(
        self, text: str, matter: str, chances: tuple[tuple[str, float], ...], strange: float,
        stays: float,
    ) -> Topic:  # fmt: skip
        limits = self._thresholds
        kin = family(matter)
        telling = self._index.telling(text, self._kin.get(kin, ()))
        if (stays < _SURELY_STAYS or another_case(text)) and telling >= limits.telling:
            inside = self._inside(text, kin)
            if inside and family(inside[0][0]) == kin and inside[0][1] >= limits.follow_matter:
                return Topic(inside, True, strange)
        own = min(limits.carried, stays)
        others = tuple(pair for pair in chances if pair[0] != matter)
        if stays < _MAY_STAY or (stays < _STAYS and others and others[0][1] > own):
            return Topic(chances, bool(chances) and family(chances[0][0]) == kin, strange)
        return Topic(((matter, own), *others), True, 0.0, carried=True)

    def _elliptic(
        self, text: str, matter: str, naming: Naming, chances: tuple[tuple[str, float], ...]
    ) -> bool:
        """Whether a short turn (退休的呢) may mean a sibling of the talk's matter, although by
        itself it names one of another family, and not by its full name.
        """
        if not chances or family(chances[0][0]) == family(matter):
            return False
        exact = {named.matter: named.exact for named in naming.found}
        short = len(signs(text).chars) <= _SHORT
        return short and exact.get(chances[0][0], 0) < SAYS_SOMETHING

    def _inside(self, text: str, kin: str) -> tuple[tuple[str, float], ...]:
        """The chances of ``text`` in a talk that has named the family already."""
        anchor = self._anchors.get(kin)
        said = f"{anchor.text}{text}" if anchor else text
        reading = self._reader.read(said, said)
        naming = self._naming(text, reading, self._shared.get(kin, frozenset()))
        weighed = self.weigh(text, reading, naming, anchored=True)
        return self._chances(weighed)

    def _chances(self, weighed: Weighed) -> tuple[tuple[str, float], ...]:
        return self._calibration.matters(weighed.codes, weighed.worths, weighed.none)

    def _anchored(self, said: frozenset[str], kin: str) -> bool:
        """Whether what all matters of a family are called is ``said``, if they share a name."""
        return kin not in self._anchors or kin in said

    def _whole_family(
        self, text: str, naming: Naming, top: float, unsaid: bool
    ) -> tuple[tuple[str, float], ...]:
        """All matters of a family, alike, where the text names the family and tells none of its
        matters from the others, or none well enough (``unsaid``). ``top``: the best chance.
        """
        if not naming.found:
            return ()
        best = naming.found[0]
        kin = family(best.matter)
        anchor = self._anchors.get(kin)
        if (
            anchor is None
            or kin not in self._index.families(text)
            or best.exact > len(anchor.chars) + 1
        ):
            return ()
        telling = self._index.telling(text, self._kin[kin])
        sure = top >= self._thresholds.matter and telling >= _HARDLY
        if sure or (not unsaid and telling >= self._thresholds.telling):
            return ()
        alike = max(self._thresholds.offer, self._thresholds.answer * 0.8)
        return tuple((code, alike) for code in self._kin[kin])


def _idle(text: str, reading: Reading) -> bool:
    """Whether a short turn asks for nothing."""
    aspects = reading.aspects
    nothing = aspects.get(NOTHING, 0.0)
    return len(signs(text).chars) <= _SHORT and nothing >= max(aspects.values(), default=0.0)


def _else_named(naming: Naming, named: str, matter: str) -> bool:
    """Whether a text names ``named`` instead of ``matter``: a sibling, or word for word."""
    by_name = any(one.matter == named and one.exact for one in naming.found)
    return named != matter and (by_name or family(named) == family(matter))


def _best(scores: Mapping[str, float], count: int) -> list[str]:
    return sorted(scores, key=scores.__getitem__, reverse=True)[:count]
