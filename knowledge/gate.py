"""The publish gate: golden questions asked of what is said now and of what would be said.

Refused is what would make a changed matter's golden question miss its answer, take another
matter's golden question away from its answer, or let one name or question stand for two matters.
A golden question that failed before and that this change did not bring in is only reported.
Questions with noise count as a share: not worse than before by more than a margin.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from knowledge.doubles import doubled
from knowledge.gateresult import Conflict, Failing, GateResult, Noise, Told
from knowledge.gatewords import causes, changed_words, said_of
from knowledge.matters import CITY, MatterEntry
from knowledge.published import Snapshot
from knowledge.search import Search
from knowledge.variants import variants

MARGIN = 0.02
"""How much smaller the share of right answers to noisy questions may be than before."""
_LEAST_MARGIN = 2
_NOISY = 90
"""Most golden questions that are asked with noise too."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden question and whose it is; ``region`` is where it is asked from ('' the city)."""

    question: str
    matter: str
    aspect: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: what is published and the search over it.

    ``asked``: what was told already, by text and region; None where it need not be kept.
    """

    found: Snapshot
    search: Search
    asked: dict[tuple[str, str], Told] | None = None


def golden_of(found: Snapshot) -> tuple[Golden, ...]:
    """Every golden question whose aspect has an answer."""
    regions: dict[tuple[str, str], set[str]] = {}
    for answer in found.answers:
        regions.setdefault((answer.matter, answer.aspect), set()).add(answer.region)
    return tuple(
        Golden(question, matter.code, aspect, _asked_from(regions[matter.code, aspect]))
        for matter in found.matters
        for aspect, questions in matter.golden.items()
        if (matter.code, aspect) in regions
        for question in questions
    )


def ask(side: Side, golden: Golden, now: datetime, text: str = "") -> Told:
    """What the golden question (or ``text`` in its place) gets."""
    key = (text or golden.question, golden.region)
    if side.asked is not None and key in side.asked:
        return side.asked[key]
    told = said_of(side.search.find(key[0], region=key[1], now=now), side.found)
    if side.asked is not None:
        side.asked[key] = told
    return told


def is_right(golden: Golden, told: Told) -> bool:
    """Whether it is the golden question's own answer."""
    return told.decision == "answer" and (told.matter, told.aspect) == (
        golden.matter, golden.aspect,
    )  # fmt: skip


def compare(before: Side, after: Side, now: datetime, today: date) -> GateResult:
    """Ask both sides; ``now`` is aware, ``today`` the city's day.

    Where only texts differ, other matters' questions are not asked: nothing can have changed.
    """
    began = time.monotonic()
    run = _Run(before, after, now, today)
    return run.result(began)


def examine(side: Side, now: datetime) -> GateResult:
    """Ask every golden question of what is said, and some with noise; nothing is compared.

    ``ok``: every plain one gets its answer; those that do not are ``failing``.
    """
    began = time.monotonic()
    golden = golden_of(side.found)
    names = {matter.code: matter.name for matter in side.found.matters}
    told = [(one, ask(side, one, now)) for one in golden]
    failing = tuple(
        Failing(one.question, one.matter, names[one.matter], one.aspect, got)
        for one, got in told
        if not is_right(one, got)
    )
    right = len(golden) - len(failing)
    noise: list[Noise] = []
    asked = [(one, variants(one.question)) for one in _spread(golden, _NOISY)]
    for kind in asked[0][1] if asked else ():
        hits = sum(is_right(one, ask(side, one, now, texts[kind])) for one, texts in asked)
        noise.append(Noise(kind, len(asked), hits, hits))
    seconds = time.monotonic() - began
    return GateResult(not failing, len(golden), right, right, (), failing, 0, tuple(noise), seconds)


class _Run:
    """One run of the gate."""

    def __init__(self, before: Side, after: Side, now: datetime, today: date) -> None:
        self._before, self._after, self._now = before, after, now
        self._old = set(golden_of(before.found))
        self._names = {matter.code: matter.name for matter in after.found.matters}
        self._words = changed_words(before.found.matters, after.found.matters)
        self._changed = _changed(before.found, after.found)
        every = golden_of(after.found)
        own = tuple(golden for golden in every if golden.matter in self._changed)
        self._golden = own if _alike(before.found, after.found, today) else every
        self._right: Counter[str] = Counter()
        self._conflicts: list[Conflict] = list(doubled(before.found, after.found))
        self._failing: list[Failing] = []

    def result(self, began: float) -> GateResult:
        for golden in self._golden:
            self._judge(golden)
        noise = tuple(self._noise())
        return GateResult(
            ok=not self._conflicts,
            asked=len(self._golden),
            right_before=self._right["before"],
            right_after=self._right["after"],
            conflicts=tuple(self._conflicts),
            failing=tuple(self._failing),
            improved=self._right["improved"],
            noise=noise,
            seconds=time.monotonic() - began,
        )

    def _judge(self, golden: Golden) -> None:
        after = ask(self._after, golden, self._now)
        before = ask(self._before, golden, self._now) if golden in self._old else None
        was = before is not None and is_right(golden, before)
        now = is_right(golden, after)
        self._right.update(before=was, after=now, improved=now and before is not None and not was)
        if now:
            return
        if was or before is None:
            self._conflicts.append(self._conflict(golden, before, after))
        else:
            name = self._names[golden.matter]
            self._failing.append(
                Failing(golden.question, golden.matter, name, golden.aspect, after)
            )

    def _conflict(self, golden: Golden, before: Told | None, after: Told) -> Conflict:
        own = golden.matter in self._changed
        return Conflict(
            code="golden_missed" if own else "golden_stolen",
            question=golden.question,
            matter=golden.matter,
            matter_name=self._names[golden.matter],
            aspect=golden.aspect,
            before=before,
            after=after,
            causes=causes(golden.question, after.matter, self._words, self._names),
            message=self._message(golden, after),
        )

    def _message(self, golden: Golden, after: Told) -> str:
        whose = f"“{golden.question}”应当得到“{self._names[golden.matter]}”的{golden.aspect}"
        if after.decision == "answer":
            return f"{whose}，发布后会答成“{after.matter_name}”的{after.aspect}"
        if after.decision == "ask":
            return f"{whose}，发布后要反问：{'、'.join(after.options)}"
        return f"{whose}，发布后答不上来"

    def _noise(self) -> Iterable[Noise]:
        both = [golden for golden in self._golden if golden in self._old]
        first = [golden for golden in both if golden.matter in self._changed]
        rest = [golden for golden in both if golden.matter not in self._changed]
        chosen = [*_spread(first, _NOISY), *_spread(rest, _NOISY - min(len(first), _NOISY))]
        asked = [(golden, variants(golden.question)) for golden in chosen]
        for kind in asked[0][1] if asked else ():
            yield self._noisy(kind, [(golden, texts[kind]) for golden, texts in asked])

    def _noisy(self, kind: str, asked: Sequence[tuple[Golden, str]]) -> Noise:
        right = [
            sum(is_right(golden, ask(side, golden, self._now, text)) for golden, text in asked)
            for side in (self._before, self._after)
        ]
        noise = Noise(kind, len(asked), *right)
        if right[1] < right[0] - max(_LEAST_MARGIN, MARGIN * len(asked)):
            self._conflicts.append(_noise_worse(noise))
        return noise


_KINDS = {"spoken": "口语里带“嗯、那个、请问”", "unmarked": "没有标点", "misheard": "听成同音字"}


def _noise_worse(noise: Noise) -> Conflict:
    message = (
        f"{_KINDS[noise.kind]}的 {noise.asked} 个黄金问题，原来答对 {noise.right_before} 个，"
        f"发布后只答对 {noise.right_after} 个"
    )
    return Conflict("noise_worse", noise.kind, "", "", "", None, None, (), message)


def _spread(golden: Sequence[Golden], most: int) -> Sequence[Golden]:
    """At most ``most``, from all over."""
    if len(golden) <= most:
        return golden
    return [golden[at * len(golden) // most] for at in range(most)]


def _alike(before: Snapshot, after: Snapshot, today: date) -> bool:
    """Whether both understand the same and can say something to the same: only texts differ then,
    and no other matter's question can change its answer.
    """
    said = [
        {answer.id for answer in found.answers if answer.valid_on(today)}
        for found in (before, after)
    ]
    return before.matters == after.matters and said[0] == said[1]


def _asked_from(regions: set[str]) -> str:
    return "" if CITY in regions else min(regions)


def _changed(before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The matters whose words or answers differ."""
    return frozenset(
        code
        for code, entry in _by_code(after.matters).items()
        if entry != _by_code(before.matters).get(code)
    ) | frozenset(answer.matter for answer in set(before.answers) ^ set(after.answers))


def _by_code(matters: Sequence[MatterEntry]) -> dict[str, MatterEntry]:
    return {matter.code: matter for matter in matters}
