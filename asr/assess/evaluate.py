"""Many recordings with known words through a recogniser, some at a time; what it got wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from asr.assess.clips import Clip
from asr.assess.errors import AssessError
from asr.assess.normal import comparable
from asr.assess.rates import Errors, difference_interval, errors_between, interval
from asr.assess.transcribe import transcribe
from asr.assess.wav import read_wav
from asr.recogniser import Recogniser, RecogniserError


@dataclass(frozen=True, slots=True)
class Outcome:
    """One clip: ``reference`` and ``compared`` in comparable form, ``heard`` as it was told.

    Where ``code`` is set, the clip could not be heard and nothing else counts.
    """

    clip: Clip
    reference: str = ""
    heard: str = ""
    compared: str = ""
    errors: Errors = Errors()  # noqa: RUF009  # frozen
    confidence: float = 0.0
    seconds: float = 0.0
    elapsed_s: float = 0.0
    code: str = ""
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        about = {"wav": str(self.clip.wav), "line": self.clip.line, "group": self.clip.group}
        if self.code:
            return {**about, "code": self.code, "message": self.message}
        return {
            **about,
            "reference": self.reference,
            "heard": self.heard,
            "compared": self.compared,
            **_counted(self.errors),
            "confidence": round(self.confidence, 3),
            "seconds": round(self.seconds, 3),
            "real_time_factor": round(self.elapsed_s / self.seconds, 4),
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """Clips together: the rate, its 95 % interval, sentences heard exactly, seconds of sound and
    of waiting."""

    clips: int
    failed: int
    errors: Errors
    interval: tuple[float, float] | None
    exact: int
    seconds: float
    elapsed_s: float

    @property
    def real_time_factor(self) -> float | None:
        """Seconds spent for a second of sound, with as many at once as there were jobs."""
        return self.elapsed_s / self.seconds if self.seconds else None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        factor = self.real_time_factor
        return {
            "clips": self.clips,
            "failed": self.failed,
            **_counted(self.errors),
            "cer_95": [round(bound, 4) for bound in self.interval] if self.interval else None,
            "exact": self.exact,
            "seconds": round(self.seconds, 1),
            "real_time_factor": None if factor is None else round(factor, 4),
        }


def _counted(errors: Errors) -> dict[str, Any]:
    return {
        "characters": errors.characters,
        "substitutions": errors.substitutions,
        "deletions": errors.deletions,
        "insertions": errors.insertions,
        "cer": None if errors.rate is None else round(errors.rate, 4),
    }


async def evaluate(
    recogniser: Recogniser,
    clips: Sequence[Clip],
    channel: int | None,
    jobs: int,
    on_clip: Callable[[], None],
) -> list[Outcome]:
    """Every clip's outcome, in the clips' order, ``jobs`` at a time; ``on_clip`` after each."""
    outcomes: dict[int, Outcome] = {}
    waiting = iter(enumerate(clips))

    async def work(waiting: Iterator[tuple[int, Clip]]) -> None:
        for at, clip in waiting:
            outcomes[at] = await _hear(recogniser, clip, channel)
            on_clip()

    async with asyncio.TaskGroup() as group:
        for _ in range(jobs):
            group.create_task(work(waiting))
    return [outcomes[at] for at in range(len(clips))]


async def _hear(recogniser: Recogniser, clip: Clip, channel: int | None) -> Outcome:
    try:
        told = await transcribe(recogniser, read_wav(clip.wav), channel)
    except (AssessError, RecogniserError) as error:
        return Outcome(clip, code=error.code, message=str(error))
    reference, compared = comparable(clip.text), comparable(told.text)
    errors = errors_between(reference, compared)
    return Outcome(
        clip, reference, told.text, compared, errors, told.confidence, told.seconds, told.elapsed_s
    )


def summarise(outcomes: Iterable[Outcome]) -> Summary:
    """All of them together; those that could not be heard are only counted."""
    outcomes = list(outcomes)
    heard = [outcome for outcome in outcomes if not outcome.code]
    return Summary(
        clips=len(heard),
        failed=len(outcomes) - len(heard),
        errors=reduce(add, (outcome.errors for outcome in heard), Errors()),
        interval=interval([outcome.errors for outcome in heard]),
        exact=sum(not outcome.errors.total for outcome in heard),
        seconds=sum(outcome.seconds for outcome in heard),
        elapsed_s=sum(outcome.elapsed_s for outcome in heard),
    )


def by_group(outcomes: Sequence[Outcome]) -> dict[str, Summary]:
    """A summary for each group, where the clips name any."""
    names = dict.fromkeys(outcome.clip.group for outcome in outcomes)
    if set(names) <= {""}:
        return {}
    return {
        name: summarise(outcome for outcome in outcomes if outcome.clip.group == name)
        for name in names
    }


def worst(outcomes: Iterable[Outcome], count: int = 10) -> list[Outcome]:
    """The clips with the most errors a character."""
    wrong = [outcome for outcome in outcomes if outcome.errors.total]
    return sorted(wrong, key=_badness, reverse=True)[:count]


def _badness(outcome: Outcome) -> float:
    return outcome.errors.total / max(1, outcome.errors.characters)


def compare(one: Sequence[Outcome], other: Sequence[Outcome]) -> dict[str, Any]:
    """The first model's rate less the second's on the clips that both heard, with its interval.

    ``better`` is 1, 2, or None where the interval holds 0: then these clips cannot tell.
    """
    pairs = [(a.errors, b.errors) for a, b in zip(one, other, strict=True) if not a.code + b.code]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    bounds = difference_interval(first, second)
    rates = [reduce(add, errors, Errors()).rate for errors in (first, second)]
    difference = None if None in rates else (rates[0] or 0.0) - (rates[1] or 0.0)
    sure = bounds is not None and (bounds[0] > 0 or bounds[1] < 0)
    return {
        "clips": len(pairs),
        "cer_difference": None if difference is None else round(difference, 4),
        "cer_difference_95": None if bounds is None else [round(bound, 4) for bound in bounds],
        "better": None if not sure or not difference else 2 if difference > 0 else 1,
    }
