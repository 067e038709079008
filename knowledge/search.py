"""Matter × aspect search: which published answer a citizen asks for, or what to ask back.

Pure and in process: built from matters and published answers, immutable, no clock of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Literal

from knowledge import metrics
from knowledge.asking import NOTHING, Phrasings, read_phrasings
from knowledge.decision import Calibration, Thresholds, aspect_worths
from knowledge.learned import Learned, learn
from knowledge.matters import CITY, MatterEntry, PublishedAnswer
from knowledge.memory import Memory
from knowledge.naming import NamingIndex
from knowledge.reading import Reader, Reading
from knowledge.signs import signs
from knowledge.topic import Topic, Topics
from language.normal import clean
from turns.context import Context
from turns.replies import Option
from turns.understood import ASPECTS, Candidate

Decision = Literal["answer", "ask", "miss"]

_OPTIONS = 3
_CANDIDATES = 6
_RIVALS = 4
_ELLIPSIS = 5.0
_DENIED = re.compile(r"不是[^是，。,.]{1,10}[，。,.]?(?:而)?(?=是)")
"""What a citizen takes back: 不是租房，是买房."""

_USUAL = {"条件": 0.4, "材料": 0.3, "流程": 0.2, "额度": 0.1}
"""What to offer where no aspect was asked for: what people want to know first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a text asks for.

    ``answer``: say it. ``ask``: offer ``options`` (their value is ``matter:aspect``). ``miss``:
    nothing to say; where the matter is known, ``context.matter`` and the first candidate name it.
    ``candidates`` are ranked, at least three for a text that can be read. ``context`` is what the
    talk is about from now on. ``elsewhere``: where the answer is the whole city's and the
    citizen's region is unknown, the regions with a text of their own (``region:lin``).
    """

    decision: Decision
    candidates: tuple[Candidate, ...]
    answer: PublishedAnswer | None
    context: Context
    options: tuple[Option, ...] = ()
    elsewhere: tuple[Option, ...] = ()


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
        self._answers: dict[tuple[str, str], dict[str, list[PublishedAnswer]]] = {}
        for answer in answers:
            places = self._answers.setdefault((answer.matter, answer.aspect), {})
            places.setdefault(answer.region, []).append(answer)
        self._index = index
        self._reader = reader
        self._topics = topics
        self._calibration = calibration
        self._parents = parents
        self._regions = regions
        self._zone = zone

    @classmethod
    def build(
        cls, matters: Sequence[MatterEntry], answers: Iterable[PublishedAnswer], *,
        asking: Learned | None = None, phrasings: Phrasings | None = None,
        calibration: Calibration | None = None, parents: Mapping[str, str] | None = None,
        regions: Mapping[str, str] | None = None, zone: tzinfo = UTC, reuse: Search | None = None,
    ) -> Search:  # fmt: skip
        """Make it ready. ``parents`` leads from a region to the one around it, ``regions`` to its
        name; ``zone`` is the city's.

        ``asking``: trained classifiers to go on with. ``reuse``: a search whose classifiers and,
        as far as nothing has changed, whose indexes serve this one too; questions new since then
        count as old ones at once, and teach the classifiers at the next training.
        """
        phrasings = phrasings or read_phrasings()
        calibration = calibration or (reuse.calibration if reuse else Calibration())
        entries = tuple(matters)
        same = reuse is not None and reuse.named_alike(entries)
        learned = asking or (reuse.asking if reuse else learn(entries, phrasings))
        before = reuse.memory if reuse and reuse.asking is learned else None
        reader = Reader(learned, Memory.of(entries, learned.vocabulary, before))
        index = reuse.index if reuse and same else NamingIndex(entries, phrasings)
        topics = Topics(index, entries, phrasings, calibration.thresholds, calibration, reader)
        names = regions or (reuse.regions if reuse else {})
        return cls(
            entries, answers, index, reader, topics, calibration, parents or {}, names, zone
        )

    @property
    def asking(self) -> Learned:
        """The trained classifiers, to build the next one with."""
        return self._reader.learned

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
        by_region = self._answers.get((matter, aspect))
        if not by_region:
            return None
        day = now.astimezone(self._zone).date()
        for place in self._around(region):
            valid = [answer for answer in by_region.get(place, ()) if answer.valid_on(day)]
            if valid:
                return max(valid, key=lambda answer: (answer.valid_from, answer.version))
        return None

    def elsewhere(self, matter: str, aspect: str, *, now: datetime) -> tuple[Option, ...]:
        """The regions that have a text of their own, valid at ``now``."""
        day = now.astimezone(self._zone).date()
        by_region = self._answers.get((matter, aspect), {})
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
        context = context or Context()
        text = clean(text)
        if not signs(text).chars or not self._matters:
            return Found("miss", (), None, context)
        meant = _DENIED.sub("", text)
        reading = self._reader.read(text, meant)
        topic = self._topics.judge(meant, context.matter, reading)
        turn = _Turn(self, topic, reading, context, region or context.region, now)
        return turn.decided()

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

    def _around(self, region: str) -> Iterable[str]:
        seen: list[str] = []
        while region and region not in seen:
            seen.append(region)
            region = self._parents.get(region, "")
        return [*seen, CITY] if CITY not in seen else seen


class _Turn:
    """One turn on its way to a decision."""

    def __init__(
        self, search: Search, topic: Topic, reading: Reading, context: Context, region: str,
        now: datetime,
    ) -> None:  # fmt: skip
        self._search = search
        self._limits = search.limits
        self._topic = topic
        self._reading = reading
        self._context = context
        self._region = region
        self._now = now
        self._pairs = self._ranked()

    def decided(self) -> Found:
        chance = self._topic.chance
        if chance < self._limits.offer or not self._pairs:
            return self._missed()
        matter = self._topic.matter
        aspects = self._weighed(matter)
        aspect, share = max(aspects.items(), key=lambda pair: pair[1])
        asked = aspect if share >= self._limits.aspect else ""
        if not self._answers(matter):
            return self._found("miss", matter, asked)
        if chance * share < self._limits.answer:
            return self._asked_back(matter if chance >= self._limits.matter else "", asked)
        answer = self._answer(matter, aspect)
        if answer is None:
            return self._found("miss", matter, aspect)
        elsewhere = () if self._region else self._search.elsewhere(matter, aspect, now=self._now)
        found = self._found("answer", matter, aspect)
        return replace(found, answer=answer, elsewhere=elsewhere)

    def _weighed(self, matter: str) -> dict[str, float]:
        """The aspects' chances; where none was asked for, the talk's own aspect, else the usual."""
        near = self._reading.near.pairs
        own = {aspect: near.get((matter, aspect), 0.0) for aspect in ASPECTS}
        chances = self._search.calibration.aspects(
            aspect_worths(self._reading.aspects, own, self._answers(matter)),
            self._reading.aspects.get(NOTHING, 0.0),
        )
        nothing = chances.pop(NOTHING)
        follows = self._topic.follows or not self._context.matter
        if self._context.aspect in chances and follows and not self._topic.carried:
            return _handed_on(chances, nothing, self._context.aspect)
        if nothing < self._limits.nothing or nothing < max(chances.values()):
            return chances
        return {
            aspect: chance + nothing * _USUAL.get(aspect, 0.0) * self._limits.aspect
            for aspect, chance in chances.items()
        }

    def _asked_back(self, matter: str, aspect: str) -> Found:
        """Options: the likeliest answers, of one matter where that is known."""
        there = (
            pair for pair in self._pairs
            if (not matter or pair.matter == matter) and self._answer(pair.matter, pair.aspect)
            and (matter or not aspect or pair.aspect == aspect)
        )  # fmt: skip
        options = tuple(
            self._search.option(pair.matter, pair.aspect) for pair in islice(there, _OPTIONS)
        )
        if not options:
            return self._found("miss", matter, aspect)
        return replace(self._found("ask", matter, aspect), options=options)

    def _missed(self) -> Found:
        gone = self._topic.strange >= self._limits.strange
        kept = Context(region=self._region, for_whom=self._context.for_whom)
        return Found("miss", self._pairs[:_CANDIDATES], None, kept if gone else self._context)

    def _found(self, decision: Decision, matter: str, aspect: str) -> Found:
        context = replace(self._context, matter=matter, aspect=aspect, region=self._region)
        return Found(decision, self._pairs[:_CANDIDATES], None, context)

    def _ranked(self) -> tuple[Candidate, ...]:
        chances = self._topic.chances[:_RIVALS] or tuple(
            (code, 0.0) for code in islice(self._search.codes(), 1)
        )
        ranked = [
            Candidate(matter, aspect, min(1.0, chance * share))
            for matter, chance in chances
            for aspect, share in self._weighed(matter).items()
        ]
        ranked.sort(key=lambda candidate: -candidate.score)
        return tuple(ranked)

    def _answers(self, matter: str) -> frozenset[str]:
        return frozenset(aspect for aspect in ASPECTS if self._answer(matter, aspect))

    def _answer(self, matter: str, aspect: str) -> PublishedAnswer | None:
        return self._search.by_code(matter, aspect, region=self._region, now=self._now)


def _handed_on(chances: Mapping[str, float], nothing: float, aspect: str) -> dict[str, float]:
    """The chances where a turn names another matter inside a talk about ``aspect`` (那买房的呢):
    it asks for no aspect of its own more often than a first question does.
    """
    whole = _ELLIPSIS * nothing + sum(chances.values())
    weighed = {one: chance / whole for one, chance in chances.items()}
    weighed[aspect] += _ELLIPSIS * nothing / whole
    return weighed
