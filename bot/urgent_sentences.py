"""The sentences that ``bot.urgent_train`` learns from: ``urgent_phrases``/kind/topic.txt.

``[一|二|]`` in a line stands for one of its alternatives; such a line is learned in a few of the
ways to tell it, always the same ones. ``before.txt`` and ``after.txt`` hold what may stand around
any of them.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from zlib import crc32

from bot.urgent_grams import CONCEPTS

__all__ = ["NONE", "PHRASES", "Sentence", "around", "digest", "read_sentences", "ways"]

PHRASES = Path(__file__).with_name("urgent_phrases")
NONE = "none"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_WAYS = 12
_AROUND = 40


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to learn from: its ``kind`` (danger, person, none) and ``topic``; ``line``: what
    it was written as, the same for all ways to tell one line.
    """

    text: str
    kind: str
    topic: str
    line: str = ""


def read_sentences(folder: Path = PHRASES) -> tuple[Sentence, ...]:
    """All sentences of ``folder``/kind/topic.txt; raises ValueError where one stands under two
    kinds or a bracket is left open.
    """
    found: dict[str, Sentence] = {}
    for path in sorted(folder.glob("*/*.txt")):
        for line in _lines(path):
            for text in ways(line):
                sentence = Sentence(text, path.parent.name, path.stem, line)
                known = found.setdefault(text, sentence)
                if known.kind != sentence.kind:
                    raise ValueError(f"{path.name}: {text} stands under {known.kind} as well")
    return tuple(found.values())


def around(name: str) -> tuple[str, ...]:
    """What may stand ``before`` or ``after`` a sentence: greetings, places, times, numbers."""
    lines = _lines(PHRASES / f"{name}.txt")
    return tuple(text for line in lines for text in ways(line, _AROUND))


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def ways(line: str, most: int = _WAYS) -> tuple[str, ...]:
    """At most ``most`` sentences that ``line`` stands for; raises ValueError on an open bracket."""
    parts = _CHOICE.split(line)
    if any("[" in part or "]" in part for part in parts):
        raise ValueError(f"a bracket is left open: {line}")
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return tuple(dict.fromkeys(_told(choices, min(most, prod(map(len, choices))), line)))


def _told(choices: list[list[str]], count: int, line: str) -> Iterator[str]:
    """Every alternative is taken as often as any other of its bracket."""
    chance = random.Random(crc32(line.encode()))  # noqa: S311 - repeatable variety, no secret
    rows = [chance.sample(options, len(options)) for options in choices]
    for turn in range(count):
        if turn:
            for row, options in zip(rows, choices, strict=True):
                if turn % len(options) == 0:
                    chance.shuffle(row)
        yield "".join(row[turn % len(row)] for row in rows)


def digest(sentences: Iterable[Sentence]) -> str:
    """A name for what is learned from: the sentences, what stands around them, the concepts."""
    summed = hashlib.sha256("\n".join((*around("before"), *around("after"))).encode())
    for sentence in sentences:
        summed.update(f"{sentence.kind}/{sentence.topic}/{sentence.text}\n".encode())
    summed.update(CONCEPTS.read_bytes())
    return summed.hexdigest()
