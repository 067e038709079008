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
from knowledge.asking import NOTHING, AspectModel, Phrasings, read_phrasings
from knowledge.decision import Calibration, Thresholds
from knowledge.matters import CITY, MatterEntry, PublishedAnswer
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
_TAUGHT_NAMES = 300
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
    talk is about from now on.
    """

    decision: Decision
    candidates: tuple[Candidate, ...]
    answer: PublishedAnswer | None
    context: Context
    options: tuple[Option, ...] = ()


class Search:
    """Finds answers. Build a new one when what is published changes; share it between threads."""

    def __init__(
        self, matters: Sequence[MatterEntry], answers: Iterable[PublishedAnswer],
        topics: Topics, asking: AspectModel, thresholds: Thresholds,
        parents: Mapping[str, str], zone: tzinfo,
    ) -> None:  # fmt: skip
        """Use :meth:`build`."""
        self._matters = {matter.code: matter for matter in matters}
        self._answers: dict[tuple[str, str], dict[str, list[PublishedAnswer]]] = {}
        for answer in answers:
            regions = self._answers.setdefault((answer.matter, answer.aspect), {})
            regions.setdefault(answer.region, []).append(answer)
        self._topics = topics
        self._asking = asking
        self._limits = thresholds
        self._parents = parents
        self._zone = zone

    @classmethod
    def build(
        cls, matters: Sequence[MatterEntry], answers: Iterable[PublishedAnswer], *,
        asking: AspectModel | None = None, phrasings: Phrasings | None = None,
        thresholds: Thresholds | None = None, calibration: Calibration | None = None,
        parents: Mapping[str, str] | None = None, zone: tzinfo = UTC,
    ) -> Search:  # fmt: skip
        """Make it ready. ``parents`` leads from a region to the one around it; ``zone`` is the
        city's. Give ``asking`` to reuse a trained model: only the index is made anew then.
        """
        phrasings = phrasings or read_phrasings()
        thresholds = thresholds or Thresholds()
        topics = Topics(matters, phrasings, thresholds, calibration or Calibration())
        model = asking or AspectModel(phrasings, taught_names(matters))
        return cls(matters, answers, topics, model, thresholds, parents or {}, zone)

    @property
    def asking(self) -> AspectModel:
        """The trained model of aspects, to build the next one with."""
        return self._asking

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
        named = self._asking.without_papers(_DENIED.sub("", text))
        turn = _Turn(self, self._topics.judge(named, context.matter),
                     self._asking.ask(text), context, region or context.region, now)  # fmt: skip
        return turn.decided()

    def about(self, text: str) -> tuple[str, float]:
        """The matter that ``text`` names most likely, asked about or not (a complaint's story),
        and how likely it is; ('', 0.0) where it names none.
        """
        topic = self._topics.judge(clean(text), "")
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
        return self._limits

    def _around(self, region: str) -> Iterable[str]:
        seen: list[str] = []
        while region and region not in seen:
            seen.append(region)
            region = self._parents.get(region, "")
        return [*seen, CITY] if CITY not in seen else seen


class _Turn:
    """One turn on its way to a decision."""

    def __init__(
        self, search: Search, topic: Topic, asked: Mapping[str, float], context: Context,
        region: str, now: datetime,
    ) -> None:  # fmt: skip
        self._search = search
        self._limits = search.limits
        self._topic = topic
        self._context = context
        self._region = region
        self._now = now
        self._aspects = self._weighed(asked)
        self._sure = self._topic.chance >= self._limits.matter

    def decided(self) -> Found:
        aspect, chance = max(self._aspects.items(), key=lambda pair: pair[1])
        if not self._sure:
            return self._unsure(aspect if chance >= self._limits.aspect else "")
        matter = self._topic.matter
        if not any(self._answer(matter, one) for one in ASPECTS):
            return self._found("miss", matter, aspect if chance >= self._limits.aspect else "")
        if chance < self._limits.aspect:
            return self._asked_back([(matter, one) for one in self._likely()], matter, "")
        answer = self._answer(matter, aspect)
        if answer is None:
            return self._found("miss", matter, aspect)
        return replace(self._found("answer", matter, aspect), answer=answer)

    def _weighed(self, asked: Mapping[str, float]) -> dict[str, float]:
        """The aspects' chances; where none was asked for, the talk's own aspect, else the usual."""
        plain = {aspect: asked.get(aspect, 0.0) for aspect in ASPECTS}
        nothing = asked.get(NOTHING, 0.0)
        if nothing < self._limits.nothing or nothing < max(plain.values()):
            return plain
        follows = self._topic.follows or not self._context.matter
        if self._context.aspect in plain and follows and not self._topic.carried:
            return {**plain, self._context.aspect: max(nothing, plain[self._context.aspect])}
        return {
            aspect: (1 - nothing) * chance + nothing * _USUAL.get(aspect, 0.0) * self._limits.aspect
            for aspect, chance in plain.items()
        }

    def _unsure(self, aspect: str) -> Found:
        if self._topic.chance < self._limits.some_matter:
            return self._missed()
        best = self._topic.matter
        if not any(self._answer(best, one) for one in ASPECTS):
            return self._found("miss", best, aspect)
        likely = [matter for matter, chance in self._topic.chances
                  if chance >= self._limits.some_matter / 2][:_RIVALS]  # fmt: skip
        if aspect:
            pairs = [(matter, aspect) for matter in likely]
        else:
            pairs = [(one.matter, one.aspect) for one in self._ranked() if one.matter in likely]
        return self._asked_back(pairs, "", aspect)

    def _asked_back(self, pairs: Iterable[tuple[str, str]], matter: str, aspect: str) -> Found:
        there = (pair for pair in pairs if self._answer(*pair) is not None)
        options = tuple(self._search.option(*pair) for pair in islice(there, _OPTIONS))
        if not options:
            return self._found("miss", matter, aspect)
        return replace(self._found("ask", matter, aspect), options=options)

    def _missed(self) -> Found:
        gone = self._topic.strange >= self._limits.strange
        kept = Context(region=self._region, for_whom=self._context.for_whom)
        return Found("miss", self._ranked(), None, kept if gone else self._context)

    def _found(self, decision: Decision, matter: str, aspect: str) -> Found:
        context = replace(self._context, matter=matter, aspect=aspect, region=self._region)
        return Found(decision, self._ranked(), None, context)

    def _likely(self) -> list[str]:
        return sorted(self._aspects, key=lambda aspect: -self._aspects[aspect])

    def _ranked(self) -> tuple[Candidate, ...]:
        chances = self._topic.chances[:_RIVALS] or tuple(
            (code, 0.0) for code in islice(self._search.codes(), 1)
        )
        ranked = [
            Candidate(matter, aspect, min(1.0, chance * share))
            for matter, chance in chances
            for aspect, share in self._aspects.items()
        ]
        ranked.sort(key=lambda candidate: -candidate.score)
        return tuple(ranked[:_CANDIDATES])

    def _answer(self, matter: str, aspect: str) -> PublishedAnswer | None:
        return self._search.by_code(matter, aspect, region=self._region, now=self._now)


def taught_names(matters: Sequence[MatterEntry]) -> tuple[str, ...]:
    """Names that the model of aspects learns to pass over; a fair sample where there are many."""
    names = [name for matter in matters for name in (matter.name, *matter.aliases)]
    step = max(1, len(names) // _TAUGHT_NAMES)
    return tuple(names[::step])
