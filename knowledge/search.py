"""Matter × aspect search: which published answer a citizen asks for, or what to ask back.

Pure and in process: built from matters and published answers, immutable, no clock of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from knowledge import metrics
from knowledge.asking import Phrasings, read_phrasings
from knowledge.decision import Calibration, Thresholds
from knowledge.late import learn_late
from knowledge.learned import Learned
from knowledge.learnedcache import learn_once
from knowledge.matters import CITY, MatterEntry, PublishedAnswer
from knowledge.memory import Memory
from knowledge.naming import NamingIndex
from knowledge.othercity import of_another_city
from knowledge.reading import Reader, Reading
from knowledge.signs import signs
from knowledge.topic import Topic, Topics
from knowledge.turn import Decision as Decision
from knowledge.turn import Found as Found
from knowledge.turn import Turn
from knowledge.why import Why, explain
from language.normal import clean
from turns.context import Context
from turns.replies import Option

_NEAREST = 5
_ASKED_ABOUT = 2048
"""Matters, regions and days of which it is kept what is answered: a day of a city's talks, whose
every turn weighs four matters.
"""
_DENIED = re.compile(r"不是[^是，。,.]{1,10}[，。,.]?(?:而)?(?=是)")
"""What a citizen takes back: 不是租房，是买房."""

_ByRegion = dict[str, list[PublishedAnswer]]


class _Heard(NamedTuple):
    """A cleaned text on its way: ``meant`` is the text without what was taken back."""

    meant: str
    reading: Reading
    topic: Topic
    turn: Turn


class Search:
    """Finds answers. Build a new one when what is published changes; share it between threads."""

    def __init__(
        self, matters: Sequence[MatterEntry], answers: Iterable[PublishedAnswer],
        index: NamingIndex, reader: Reader, topics: Topics, calibration: Calibration,
        parents: Mapping[str, str], regions: Mapping[str, str], zone: tzinfo,
    ) -> None:  # fmt: skip
        """Use :meth:`build`."""
        self._matters = {matter.code: matter for matter in matters}
        self._entries = tuple(matters)
        self._answers: dict[str, dict[str, _ByRegion]] = {}
        for answer in answers:
            aspects = self._answers.setdefault(answer.matter, {})
            places = aspects.setdefault(answer.aspect, {})
            places.setdefault(answer.region, []).append(answer)
        self._index = index
        self._reader = reader
        self._topics = topics
        self._calibration = calibration
        self._parents = parents
        self._regions = regions
        self._zone = zone
        self._answered = lru_cache(_ASKED_ABOUT)(self._answered_on)

    @classmethod
    def build(
        cls, matters: Sequence[MatterEntry], answers: Iterable[PublishedAnswer], *,
        asking: Learned | None = None, phrasings: Phrasings | None = None,
        calibration: Calibration | None = None, parents: Mapping[str, str] | None = None,
        regions: Mapping[str, str] | None = None, zone: tzinfo = UTC, reuse: Search | None = None,
        cache: Path | None = None,
    ) -> Search:  # fmt: skip
        """Make it ready. ``parents`` leads from a region to the one around it, ``regions`` to its
        name (``city`` to the city's own); ``zone`` is the city's.

        ``asking``: trained classifiers to go on with. ``reuse``: a search whose classifiers and,
        as far as nothing has changed, whose indexes serve this one too; questions new since then
        count as old ones at once, and teach the classifiers at the next training. ``cache``: a
        folder that keeps trained classifiers from start to start.
        """
        phrasings = phrasings or read_phrasings()
        calibration = calibration or (reuse.calibration if reuse else Calibration())
        entries = tuple(matters)
        same = reuse is not None and reuse.named_alike(entries)
        learned = asking or (reuse.asking if reuse else learn_once(entries, phrasings, cache))
        before = reuse.memory if reuse and reuse.asking is learned else None
        memory = Memory.of(entries, learned, before)
        late = (
            reuse.reader.late if reuse and memory is before and same
            else learn_late(learned, memory, entries)
        )  # fmt: skip
        reader = Reader(learned, memory, late)
        index = reuse.index if reuse and same else NamingIndex(
            entries, phrasings, reuse.index if reuse else None
        )  # fmt: skip
        topics = Topics(index, entries, phrasings, calibration.thresholds, calibration, reader)
        names = regions or (reuse.regions if reuse else {})
        return cls(entries, answers, index, reader, topics, calibration, parents or {}, names, zone)

    @property
    def asking(self) -> Learned:
        """The trained classifiers, to build the next one with."""
        return self._reader.learned

    @property
    def reader(self) -> Reader:
        """What reads a text."""
        return self._reader

    @property
    def memory(self) -> Memory:
        """The old questions."""
        return self._reader.memory

    @property
    def index(self) -> NamingIndex:
        """The names of all matters."""
        return self._index

    @property
    def topics(self) -> Topics:
        """What judges which matter a text is about."""
        return self._topics

    @property
    def regions(self) -> Mapping[str, str]:
        """The names of the regions, by code."""
        return self._regions

    @property
    def calibration(self) -> Calibration:
        """What it decides by."""
        return self._calibration

    def named_alike(self, matters: Sequence[MatterEntry]) -> bool:
        """Whether ``matters`` have the same codes and names as this search's."""
        return [(one.code, one.names) for one in self._entries] == [
            (one.code, one.names) for one in matters
        ]

    def by_code(
        self, matter: str, aspect: str, *, region: str = "", now: datetime
    ) -> PublishedAnswer | None:
        """The answer valid at ``now`` (aware) for the region, else for the one around it."""
        by_region = self._answers.get(matter, {}).get(aspect)
        return _newest(by_region, self._around(region), self._day(now)) if by_region else None

    def answered(self, matter: str, *, region: str = "", now: datetime) -> frozenset[str]:
        """The aspects for which :meth:`by_code` has an answer."""
        return self._answered(matter, region, self._day(now))

    def _answered_on(self, matter: str, region: str, day: date) -> frozenset[str]:
        around = self._around(region)
        return frozenset(
            aspect
            for aspect, by_region in self._answers.get(matter, {}).items()
            if _newest(by_region, around, day)
        )

    def elsewhere(self, matter: str, aspect: str, *, now: datetime) -> tuple[Option, ...]:
        """The regions that have a text of their own, valid at ``now``."""
        day = self._day(now)
        by_region = self._answers.get(matter, {}).get(aspect, {})
        return tuple(
            Option(self._regions.get(region, region), f"region:{region}")
            for region, answers in by_region.items()
            if region != CITY and any(answer.valid_on(day) for answer in answers)
        )

    @metrics.search_seconds.time()
    def find(
        self, text: str, context: Context | None = None, *, region: str = "", now: datetime
    ) -> Found:
        """What ``text`` asks for, in a talk about ``context``. Total: any text gives a value.

        ``region``: where the citizen is, else ``context.region``. ``now`` is aware.
        """
        text = clean(text)
        if not signs(text).chars or not self._matters:
            return Found("miss", (), None, context or Context())
        return self._heard(text, context or Context(), region, now).turn.decided()

    def why(
        self, text: str, context: Context | None = None, *, region: str = "", now: datetime
    ) -> Why:
        """What made :meth:`find` decide as it does, for whoever edits the knowledge."""
        context = context or Context()
        found = self.find(text, context, region=region, now=now)
        text = clean(text)
        heard = self._heard(text, context, region, now)
        meant, topic = heard.meant, heard.topic
        return explain(
            text, found, topic, self._topics.weigh(meant, heard.reading), heard.turn.aspects(),
            self._index.matched(meant, topic.matter),
            self.memory.nearest(self.memory.vocabulary.row(signs(meant)), _NEAREST),
            {code: matter.name for code, matter in self._matters.items()}, self.limits,
        )  # fmt: skip

    def _heard(self, text: str, context: Context, region: str, now: datetime) -> _Heard:
        meant = _DENIED.sub("", text)
        reading = self._reader.read(text, meant)
        topic = self._topics.judge(meant, context.matter, reading)
        if of_another_city(text, self._regions.values()):
            topic = topic.doubted()
        turn = Turn(self, topic, reading, context, region or context.region, now, meant)
        return _Heard(meant, reading, topic, turn)

    def about(self, text: str) -> tuple[str, float]:
        """The matter that ``text`` names most likely, asked about or not (a complaint's story),
        and how likely it is; ('', 0.0) where it names none.
        """
        text = clean(text)
        if not signs(text).chars:
            return "", 0.0
        topic = self._topics.judge(text, "")
        return topic.matter, topic.chance

    def option(self, matter: str, aspect: str) -> Option:
        """The option that stands for an answer: 租房提取公积金的条件."""
        return Option(f"{self._matters[matter].name}的{aspect}", f"{matter}:{aspect}")

    def codes(self) -> Iterable[str]:
        """All matters' codes."""
        return self._matters

    @property
    def limits(self) -> Thresholds:
        """The thresholds it decides by."""
        return self._calibration.thresholds

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def _around(self, region: str) -> Sequence[str]:
        seen: list[str] = []
        while region and region not in seen:
            seen.append(region)
            region = self._parents.get(region, "")
        return [*seen, CITY] if CITY not in seen else seen


def _newest(by_region: _ByRegion, around: Iterable[str], day: date) -> PublishedAnswer | None:
    """The answer that is valid on ``day`` in the first of the regions ``around`` that has one."""
    for place in around:
        valid = [answer for answer in by_region.get(place, ()) if answer.valid_on(day)]
        if valid:
            return max(valid, key=lambda answer: (answer.valid_from, answer.version))
    return None
