"""Labels asked, as one batch, of the whole front door; and judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from qianmen.ask import Question
from qianmen.evaluation.labels import Label
from qianmen.evaluation.scoring import Judged, Outcome

Asker = Callable[[Sequence[Question]], Awaitable[list[dict[str, Any]]]]
"""Answers documents of ``qianmen ask`` in the questions' order."""


async def judged_all(asker: Asker, *parts: Sequence[Label]) -> list[list[Judged]]:
    """Every part's labels with what came of them; conversations of different parts and files
    stay apart.
    """
    questions = [
        _question(label, number)
        for number, part in enumerate(parts)
        for label in part
    ]  # fmt: skip
    numbered = [
        Question(at, one.text, one.conversation, one.turn, one.channel, one.region)
        for at, one in enumerate(questions)
    ]
    told = iter(await asker(numbered))
    return [[Judged(label, Outcome.read(next(told))) for label in part] for part in parts]


def _question(label: Label, part: int) -> Question:
    talk = f"{part}/{label.file}/{label.conversation}" if label.conversation else ""
    return Question(0, label.text, talk, label.turn, label.channel, label.region)
