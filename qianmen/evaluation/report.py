"""The whole run: what is asked in which ways, judged and put into one document."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from config.settings import Settings
from knowledge.files import Contents, read_folder
from qianmen.evaluation.asking import Asker, judged_all
from qianmen.evaluation.labels import Label, read_labels
from qianmen.evaluation.scoring import Judged, Row, by
from qianmen.evaluation.sets import QUESTIONS, held_out, misheard, sampled
from qianmen.evaluation.table import (
    EXACT,
    NOISY,
    SPOKEN,
    act_rows,
    decision_rows,
    field_rows,
    follow_rows,
    outside_rows,
    scope_rows,
    urgent_rows,
)

Hears = Callable[[Sequence[Label]], Any]
"""Labels as they are heard: an awaitable of the model's name and the labels."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure. ``file`` None: the checkout's held-out sets. ``noise``: the share of
    characters turned to homophones, 0 for none; ``limit``: sentences of each file at most.
    """

    file: Path | None = None
    noise: float = 0.0
    spoken: bool = False
    baselines: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """``judged``: everything as it was typed."""

    rows: tuple[Row, ...]
    judged: tuple[Judged, ...]
    baselines: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    asked: tuple[Judged, ...] = field(default=())

    @property
    def met(self) -> bool:
        """Whether no goal is missed."""
        return not any(row.met is False for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "by_matter": by("matter", self.asked),
            "by_channel": by("channel", self.asked),
            "baselines": list(self.baselines),
            "notes": list(self.notes),
        }


def wanted_labels(settings: Settings, wanted: Wanted) -> tuple[Contents, tuple[Label, ...]]:
    """The city's knowledge, and what is asked. Raises :class:`config.errors.ConfigError`."""
    contents = read_folder(settings.city / "knowledge")
    codes = {matter.code for matter in contents.matters}
    labels = held_out(codes) if wanted.file is None else read_labels(wanted.file, codes)
    return contents, sampled(labels, wanted.limit)


async def evaluated(wanted: Wanted, labels: Sequence[Label], asker: Asker, hears: Hears) -> Report:
    """Ask everything, in one batch, and judge it."""
    single = _single(wanted, labels)
    noisy = misheard(single, wanted.noise) if wanted.noise else ()
    model, heard = await hears(single) if wanted.spoken else ("", ())
    typed, noised, spoken = await judged_all(asker, labels, noisy, heard)
    asked = [one for one in typed if one.label.file == QUESTIONS] if not wanted.file else typed
    rows = [
        *scope_rows(asked, "键入", EXACT, strict=True),
        *scope_rows(noised, f"{wanted.noise:.0%} 同音字", NOISY),
        *scope_rows(spoken, "说出来（espeak-ng，G.711，Vosk）", SPOKEN),
        *outside_rows(typed),
        *follow_rows(typed),
        *urgent_rows(typed),
        *field_rows(typed),
        *act_rows(typed),
        *decision_rows(typed),
    ]
    notes = (f"语音识别用的模型：{model}",) if model else ()
    return Report(tuple(rows), tuple(typed), (), notes, tuple(asked))


def _single(wanted: Wanted, labels: Sequence[Label]) -> tuple[Label, ...]:
    """What is asked again misheard: of the held-out sets the single questions; of a file all
    that asks, talks whole.
    """
    if wanted.file is None:
        return tuple(label for label in labels if label.file == QUESTIONS)
    talks = {label.conversation for label in labels if label.in_scope}
    return tuple(
        label
        for label in labels
        if label.in_scope or (label.conversation and label.conversation in talks)
    )


async def with_baselines(
    report: Report, settings: Settings, contents: Contents, labels: Sequence[Label]
) -> Report:
    """The two baselines on the same questions. Raises ``ConfigError``."""
    asked = [one.label for one in report.asked if one.label.aspects and one.label.turn < 2]
    outside = [label for label in labels if label.out_of_scope]
    told = await asyncio.to_thread(_baselines, settings, contents, asked, outside)
    ours = _ours(report, asked)
    return replace(report, baselines=(ours, *told))


def _ours(report: Report, asked: Sequence[Label]) -> dict[str, Any]:
    from qianmen.evaluation.baselines import summary

    chosen = set(map(id, asked))
    return summary(
        "前门", [one for one in report.asked if id(one.label) in chosen],
        [one for one in report.judged if one.label.out_of_scope],
    )  # fmt: skip


def _baselines(
    settings: Settings, contents: Contents, asked: Sequence[Label], outside: Sequence[Label]
) -> list[dict[str, Any]]:
    from knowledge.learned import read_outside
    from qianmen.evaluation import baselines as flat
    from qianmen.evaluation.diet import diet

    train, held = flat.apart(flat.training(contents.matters, read_outside()))
    told = []
    for name, classifier in (
        ("Rasa DIET + ResponseSelector（jieba）", diet(settings, train)),
        ("字符 TF-IDF + LinearSVC", flat.characters(train)),
    ):
        texts = [*(text for text, _ in held), *(label.text for label in (*asked, *outside))]
        known = dict(zip(texts, classifier(texts), strict=True))
        guessed = flat.looked_up(known)
        least = flat.threshold(guessed([text for text, _ in held]), [right for _, right in held])
        for forced in (False, True):
            judged = flat.judged_by(guessed, least, asked, forced=forced)
            away = flat.judged_by(guessed, least, outside, forced=forced)
            told.append(flat.summary(name + ("，不设门槛" if forced else ""), judged, away))
    return told


def with_speed(report: Report, settings: Settings, now: datetime) -> Report:
    """The two rows of speed, searched with the questions."""
    from qianmen.evaluation.speed import speed_rows

    texts = [one.label.text for one in report.asked]
    return replace(report, rows=(*report.rows, *speed_rows(settings, texts, now)))
