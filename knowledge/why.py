"""Why a text was understood as it was: for the editor who tries a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.decision import MATTER_WORTHS, Thresholds
from knowledge.memory import Question
from knowledge.topic import Topic, Weighed
from knowledge.turn import Found
from turns.understood import Candidate


@dataclass(frozen=True, slots=True)
class MatterScore:
    """What spoke for a matter. ``chance`` is calibrated, 0 to 1; ``cover``: how much of its best
    fitting name was said, 0 to 1; ``learned``: the classifier's score, above 0 for a match;
    ``near``: how near its nearest labelled question comes, 0 to 1.
    """

    code: str
    name: str
    chance: float
    cover: float
    learned: float
    near: float


@dataclass(frozen=True, slots=True)
class NearQuestion:
    """A labelled question that the text resembles; ``alike`` is a cosine, 0 to 1."""

    text: str
    matter: str
    aspect: str
    alike: float


@dataclass(frozen=True, slots=True)
class Why:
    """How a text was understood.

    ``words`` are said as the matter's names have them; ``sounds`` only sound like them.
    ``matters`` and ``aspects`` are ranked; the aspects are of the likeliest matter, or of the
    talk's where it was ``carried`` on from the turn before. ``unknown``: the share of the text
    that belongs to no word known here.
    """

    text: str
    decision: Literal["answer", "ask", "miss"]
    words: tuple[str, ...]
    sounds: tuple[str, ...]
    matters: tuple[MatterScore, ...]
    aspects: tuple[tuple[str, float], ...]
    candidates: tuple[Candidate, ...]
    nearest: tuple[NearQuestion, ...]
    carried: bool
    unknown: float
    thresholds: Thresholds


def explain(
    text: str, found: Found, topic: Topic, weighed: Weighed, aspects: Mapping[str, float],
    matched: tuple[tuple[str, ...], tuple[str, ...]],
    nearest: Sequence[tuple[Question, float]], names: Mapping[str, str], limits: Thresholds,
) -> Why:  # fmt: skip
    """Put together what the parts of a search say."""
    worths = dict(zip(weighed.codes, weighed.worths, strict=True))
    return Why(
        text, found.decision, *matched,
        matters=tuple(
            _matter(code, names.get(code, code), chance, worths.get(code, ()))
            for code, chance in topic.chances
        ),
        aspects=tuple(sorted(aspects.items(), key=lambda pair: -pair[1])),
        candidates=found.candidates,
        nearest=tuple(
            NearQuestion(one.text, one.matter, one.aspect, alike) for one, alike in nearest
        ),
        carried=topic.carried, unknown=topic.strange, thresholds=limits,
    )  # fmt: skip


def _matter(code: str, name: str, chance: float, worths: Sequence[float]) -> MatterScore:
    given = {one: float(worth) for one, worth in zip(MATTER_WORTHS, worths, strict=False)}
    return MatterScore(
        code, name, chance, given.get("cover", 0.0), given.get("linear", -1.0),
        given.get("near", 0.0),
    )  # fmt: skip
