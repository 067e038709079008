"""One turn on its way to a decision: an answer, options, or a miss."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Literal, Protocol

from knowledge.asking import NOTHING
from knowledge.decision import Calibration, aspect_worths
from knowledge.matters import PublishedAnswer
from knowledge.reading import Reading
from knowledge.topic import Topic
from turns.context import Context
from turns.replies import Option
from turns.understood import ASPECTS, Candidate

Decision = Literal["answer", "ask", "miss"]

_OPTIONS = 3
_CANDIDATES = 6
_RIVALS = 4
_ELLIPSIS = 10.0
_INSIDE = 0.4
_ALONE = 4.0
_WHO = re.compile(
    r"^(?!.*(?:手机|不会|网))那?(?:要是|如果|假如)?(?:我|我们家?|家里|自己)?"
    r"(?:.*(?:学生|老人|男的|女的|单身|老婆|老公|爱人|外地(?:的|人|户口|老人)|农村户口|个体户|残疾)|"
    r"没(?:有|签|结婚|交)?|有|自己辞|过了[六七八九]十)"
)
"""Other people and circumstances: what is asked is whether they may as well."""
_USUAL = {"条件": 0.4, "材料": 0.3, "流程": 0.2, "额度": 0.1}
"""What to offer where no aspect was asked for: what people want to know first."""


class Published(Protocol):
    """What a turn asks of :class:`knowledge.search.Search`."""

    @property
    def calibration(self) -> Calibration:
        """What it decides by."""

    def by_code(
        self, matter: str, aspect: str, *, region: str = "", now: datetime
    ) -> PublishedAnswer | None:
        """The answer valid at ``now``."""

    def answered(self, matter: str, *, region: str = "", now: datetime) -> frozenset[str]:
        """The aspects that have an answer valid at ``now``."""

    def elsewhere(self, matter: str, aspect: str, *, now: datetime) -> tuple[Option, ...]:
        """The regions that have a text of their own."""

    def option(self, matter: str, aspect: str) -> Option:
        """The option that stands for an answer."""

    def codes(self) -> Iterable[str]:
        """All matters' codes."""


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


class Turn:
    """One turn on its way to a decision."""

    def __init__(
        self, search: Published, topic: Topic, reading: Reading, context: Context, region: str,
        now: datetime, text: str = "",
    ) -> None:  # fmt: skip
        self._search = search
        self._limits = search.calibration.thresholds
        self._topic = topic
        self._reading = reading
        self._context = context
        self._region = region
        self._now = now
        self._text = text
        self._shares: dict[str, dict[str, float]] = {}
        self._pairs = self._ranked()

    def decided(self) -> Found:
        """Answer, ask back or miss."""
        chance = self._topic.chance
        if chance < self._limits.offer or not self._pairs:
            return self._missed()
        matter = self._topic.matter
        aspects = self._weighed(matter)
        aspect, share = max(aspects.items(), key=lambda pair: pair[1])
        asked = aspect if share >= self._limits.aspect else ""
        if not self._answers(matter):
            return self._found("miss", matter, asked)
        if chance * share < self._least(matter):
            known = chance >= self._limits.matter or self._goes_on(matter)
            return self._asked_back(matter if known else "", asked)
        answer = self._answer(matter, aspect)
        if answer is None:
            return self._found("miss", matter, aspect)
        elsewhere = () if self._region else self._search.elsewhere(matter, aspect, now=self._now)
        found = self._found("answer", matter, aspect)
        return replace(found, answer=answer, elsewhere=elsewhere)

    def _goes_on(self, matter: str) -> bool:
        """Whether the talk's matter stands so far before all others that only it need be offered
        (那我征信不好呢, asked of a loan).
        """
        rivals = [chance for code, chance in self._topic.chances if code != matter]
        alone = _ALONE * max(rivals, default=0.0) < self._topic.chance
        return matter == self._context.matter and alone

    def _least(self, matter: str) -> float:
        """The least chance of an answer: lower where the talk goes on about its matter, which
        the answer names; asking back there costs more than another aspect of it.
        """
        inside = self._topic.follows and matter == self._context.matter
        return min(_INSIDE, self._limits.answer) if inside else self._limits.answer

    def aspects(self) -> dict[str, float]:
        """How likely each aspect of the likeliest matter is."""
        return self._weighed(self._topic.matter)

    def _weighed(self, matter: str) -> dict[str, float]:
        """The aspects' chances."""
        if matter not in self._shares:
            self._shares[matter] = self._weigh(matter)
        return self._shares[matter]

    def _weigh(self, matter: str) -> dict[str, float]:
        """The aspects' chances; where none was asked for, the talk's own aspect, else the usual."""
        near = self._reading.near.pairs
        own = {aspect: near.get((matter, aspect), 0.0) for aspect in ASPECTS}
        chances = self._search.calibration.aspects(
            aspect_worths(self._reading.aspects, own, self._answers(matter)),
            self._reading.aspects.get(NOTHING, 0.0),
        )
        nothing = chances.pop(NOTHING)
        follows = self._topic.follows or not self._context.matter
        asks_on = self._topic.again or (follows and not self._topic.carried)
        if self._context.aspect in chances and asks_on:
            return _handed_on(chances, nothing, self._asked_again(chances))
        if nothing < self._limits.nothing or nothing < max(chances.values()):
            return chances
        return {
            aspect: chance + nothing * _USUAL.get(aspect, 0.0) * self._limits.aspect
            for aspect, chance in chances.items()
        }

    def _asked_again(self, chances: Mapping[str, float]) -> str:
        """The aspect that another case is asked about: the talk's, but whether it may be done at
        all where the talk was about how (那学生呢, 没有房产呢).
        """
        aspect = self._context.aspect
        whether = self._topic.again and aspect == "流程" and bool(_WHO.search(self._text))
        return "条件" if whether and "条件" in chances else aspect

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
        gone = self._topic.strange >= self._limits.strange and not self._topic.idle
        kept = Context(region=self._region, for_whom=self._context.for_whom)
        return Found("miss", self._pairs[:_CANDIDATES], None, kept if gone else self._context)

    def _found(self, decision: Decision, matter: str, aspect: str) -> Found:
        kept = matter or (self._context.matter if decision == "ask" and aspect else "")
        context = replace(self._context, matter=kept, aspect=aspect, region=self._region)
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
        return self._search.answered(matter, region=self._region, now=self._now)

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
