"""The exam of the checkout: the held-out sets, read whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from config.errors import ConfigError
from config.settings import ROOT
from qianmen.evaluation.labels import Label, Role, read_labels, read_list

HELD_OUT = ROOT / "tests" / "heldout"
HELD_OUT_NOW = "2026-11-22T10:00+08:00"
"""When the complaints of the exam were told: their dates are labelled from here."""
QUESTIONS = "questions.tsv"
TABLES = (QUESTIONS, "followups.tsv", "outofscope.tsv", "acts.tsv", "complaints.tsv")
LISTS: tuple[Role, ...] = ("danger", "calm", "person", "notperson")


def held_out(matters: Collection[str], folder: Path = HELD_OUT) -> tuple[Label, ...]:
    """All of it. Raises :class:`ConfigError`: ``heldout_missing`` without the folder (an
    installation without tests), else as :func:`read_labels`.
    """
    if not folder.is_dir():
        raise ConfigError("heldout_missing", f"{folder}：没有自带的考题，请给 FILE.tsv")
    tables = [read_labels(folder / name, matters) for name in TABLES]
    lists = [read_list(folder / f"{role}.txt", role) for role in LISTS]
    return tuple(label for part in (*tables, *lists) for label in part)


def sampled(labels: tuple[Label, ...], limit: int) -> tuple[Label, ...]:
    """At most ``limit`` labels of each file (0: all), evenly drawn; conversations stay whole."""
    files: dict[str, dict[str, list[Label]]] = {}
    for label in labels:
        talk = label.conversation or f"\0{label.line}"
        files.setdefault(label.file, {}).setdefault(talk, []).append(label)
    kept: list[Label] = []
    for talks in files.values():
        step = max(1, -(-sum(map(len, talks.values())) // limit)) if limit else 1
        kept += [label for talk in list(talks.values())[::step] for label in talk]
    return tuple(kept)


def misheard(labels: tuple[Label, ...], share: float, seed: int = 12345) -> tuple[Label, ...]:
    """Everything with ``share`` of its characters turned to homophones."""
    from knowledge.measure import homophones

    return tuple(replace(one, text=homophones(one.text, share, seed)) for one in labels)
