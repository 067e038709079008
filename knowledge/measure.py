"""How well search does on labelled phrasings: exact, offered, wrong, asked back, missed.

A labelled file is a table with tabs: text, conversation, turn, matter, aspect. ``matter`` is a
code with an aspect (an answer is wanted), a code without one (only the matter counts), a family
such as ``gjj`` (to be asked back) or empty (out of scope).
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from knowledge.search import Found, Search
from language.pinyin import syllables
from turns.context import Context
from turns.replies import Option

Verdict = Literal["exact", "offered", "wrong", "asked", "missed"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled turn."""

    text: str
    conversation: str
    turn: int
    matter: str
    aspect: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled turn, what search made of it and what that is worth."""

    row: Labelled
    found: Found
    verdict: Verdict


def read_labelled(path: Path) -> tuple[Labelled, ...]:
    """Read a labelled file; raises ``KeyError`` or ``ValueError`` on a broken one."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(
            Labelled(
                row["text"], row["conversation"], int(row["turn"]), row["matter"], row["aspect"]
            )
            for row in rows
        )


def judge_all(search: Search, rows: Iterable[Labelled], now: datetime) -> list[Judged]:
    """Run conversations turn by turn with the context that search itself gives."""
    talks: dict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        talks[row.conversation].append(row)
    judged: list[Judged] = []
    for talk in talks.values():
        context = Context()
        for row in sorted(talk, key=lambda row: row.turn):
            found = search.find(row.text, context, now=now)
            judged.append(Judged(row, found, verdict(row, found)))
            context = found.context
            if judged[-1].verdict == "offered":  # the citizen takes the right option
                context = replace(context, matter=row.matter, aspect=row.aspect)
    return judged


def verdict(row: Labelled, found: Found) -> Verdict:
    """What ``found`` is worth for a citizen who meant ``row``."""
    if found.decision == "answer":
        return "exact" if _answered(row, found) else "wrong"
    if row.matter and "." not in row.matter:
        return "exact" if found.decision == "ask" else "missed"
    if found.decision == "ask":
        wanted = f"{row.matter}:{row.aspect}"  # a matter alone: any of its answers
        return "offered" if any(_wanted(option, wanted) for option in found.options) else "asked"
    if row.matter and row.aspect:
        return "missed"
    return "exact" if found.context.matter == row.matter or not row.matter else "missed"


def _wanted(option: Option, wanted: str) -> bool:
    return option.value == wanted or (wanted.endswith(":") and option.value.startswith(wanted))


def rates(judged: Sequence[Judged]) -> dict[str, float]:
    """The share of each verdict, 0 to 1."""
    counted = Counter(one.verdict for one in judged)
    kinds: tuple[Verdict, ...] = ("exact", "offered", "wrong", "asked", "missed")
    return {kind: counted[kind] / len(judged) if judged else 0.0 for kind in kinds}


def homophones(text: str, share: float, seed: int) -> str:
    """``text`` with about ``share`` of its characters turned to others of the same sound."""
    chance = random.Random(f"{seed}:{text}")  # noqa: S311 - repeatable noise, no secret
    table = _alike()
    heard = []
    for char in text:
        others = [other for other in table.get(_sound(char), "") if other != char]
        heard.append(chance.choice(others) if others and chance.random() < share else char)
    return "".join(heard)


@cache
def _alike() -> dict[str, str]:
    """Level-one characters of GB 2312 (rows 16 to 55) by toneless syllable."""
    table: dict[str, str] = defaultdict(str)
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            char = bytes((high, low)).decode("gb2312", errors="ignore")
            if char:
                table[_sound(char)] += char
    return dict(table)


@cache
def _sound(char: str) -> str:
    return "".join(syllables(char))


def _answered(row: Labelled, found: Found) -> bool:
    answer = found.answer
    return answer is not None and answer.matter == row.matter and row.aspect in ("", answer.aspect)
