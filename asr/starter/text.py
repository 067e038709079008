"""The sentences the starter model learns from: templates and hand-written speech in `text/`.

The same sentences feed the acoustic training and the language model. Everything is deterministic.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asr.starter.numbers import SpokenNumbers

SEED = 12345
_HERE = Path(__file__).parent
_NOT_HANZI = re.compile(r"[^\u3400-\u9fff]")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<(\w+)>")

QUESTIONS_PER_MATTER_AND_TEMPLATE = 3
COMPLAINTS_PER_TEMPLATE = 90
PLACES_PER_TEMPLATE = 110
SENTENCES_PER_TEMPLATE = 70
STORIES_PER_TEMPLATE = 120
PATTERNS_PER_TEMPLATE = 700


@dataclass(frozen=True)
class Matter:
    """A matter's spoken names: nouns, verb phrases, and the verb that money takes (取, 贷, …)."""

    code: str
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    money: str


def hanzi_only(text: str) -> str:
    """`text` without anything but Chinese characters: how sentences are compared."""
    return _NOT_HANZI.sub("", text)


def data_lines(name: str) -> list[str]:
    """Lines of a data file of this package, without blank ones and comments."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def matters() -> tuple[Matter, ...]:
    """The matters of `text/matters.txt`."""
    rows = (line.split("|") for line in data_lines("text/matters.txt"))
    return tuple(
        Matter(code, tuple(nouns.split(";")), tuple(verbs.split(";")), money)
        for code, nouns, verbs, money in rows
    )


def held_out_sentences() -> list[str]:
    """Sentences never trained on, for measuring."""
    return [hanzi_only(line) for line in data_lines("heldout.txt")]


def fresh_sentences() -> list[str]:
    """Sentences never trained on and never used to choose a setting either."""
    return [hanzi_only(line) for line in data_lines("fresh.txt")]


def reserved_sentences() -> list[str]:
    """Sentences that demos and tests say, never trained on either."""
    return [hanzi_only(line) for line in data_lines("reserved.txt")]


class Expander:
    """Draws sentences from templates: `{a|b|}` chooses, `<name>` is a slot."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)  # noqa: S311 - reproducible data, not a secret
        numbers = SpokenNumbers(self._choose)
        self._spoken = {
            "phone": numbers.phone,
            "idcard": numbers.id_card,
            "digits": numbers.digits,
            "digit": numbers.digit,
            "num": numbers.number,
            "room": numbers.room,
            "date": numbers.date,
            "time": numbers.time,
            "amount": numbers.amount,
            "place": self._place,
        }
        self._slots: dict[str, tuple[str, ...]] = {}
        for line in data_lines("text/slots.txt"):
            name, values = (part.strip() for part in line.split("=", 1))
            self._slots[name] = (*self._slots.get(name, ()), *values.split("|"))

    def expand(self, template: str, matter: Matter | None = None) -> str:
        """One sentence of `template`."""
        chosen = _CHOICE.sub(lambda m: self._choose.choice(m[1].split("|")), template)
        return _SLOT.sub(lambda m: self._fill(m[1], matter), chosen)

    def _fill(self, slot: str, matter: Matter | None) -> str:
        if slot in self._spoken:
            return self._spoken[slot]()
        if matter is not None and slot in {"N", "V", "M"}:
            options = {"N": matter.nouns, "V": matter.verbs, "M": (matter.money,)}
            return self._choose.choice(options[slot])
        return self.expand(self._choose.choice(self._slots[slot]), matter)

    def _place(self) -> str:
        return self.expand(self._choose.choice(_PLACES))


_PLACES = (
    "<estate>",
    "<estate><num>号楼",
    "<estate><num>号楼<digit>单元",
    "<estate><num>号楼<digit>单元<spot>",
    "<estate><num>号楼<digit>单元<room>",
    "<estate><num>栋<room>",
    "<estate><spot>",
    "<estate>{东区|西区|二期|三期|一期}<num>号楼",
    "<street>",
    "<street><num>号",
    "<street><spot>",
    "<street>{和|跟}<street>{交叉口|路口|交口}",
    "<town>",
    "<town><estate>",
    "<town><street><num>号",
    "<office><spot>",
    "{我家|我们家|我们小区|小区|我们楼|我们村|村}<spot>",
    "{楼下|小区门口|学校门口|我家楼下|我们家门口|单元门口|马路边上|村口|菜市场}",
)


def _question_sentences(expander: Expander) -> Iterator[str]:
    templates = data_lines("text/questions.txt")
    for matter, template in itertools.product(matters(), templates):
        if "<M>" in template and not matter.money:
            continue
        for _ in range(QUESTIONS_PER_MATTER_AND_TEMPLATE):
            yield expander.expand(template, matter)


def _repeated(expander: Expander, name: str, times: int) -> Iterator[str]:
    for template in data_lines(name):
        for _ in range(times):
            yield expander.expand(template)


@cache
def _training_text() -> tuple[str, ...]:
    expander = Expander(SEED)
    drawn = itertools.chain(
        (noun for matter in matters() for noun in (*matter.nouns, *matter.verbs)),
        _question_sentences(expander),
        _repeated(expander, "text/complaints.txt", COMPLAINTS_PER_TEMPLATE),
        _repeated(expander, "text/places.txt", PLACES_PER_TEMPLATE),
        _repeated(expander, "text/sentences.txt", SENTENCES_PER_TEMPLATE),
        _repeated(expander, "text/stories.txt", STORIES_PER_TEMPLATE),
        _repeated(expander, "text/patterns.txt", PATTERNS_PER_TEMPLATE),
    )
    kept_out = {*held_out_sentences(), *fresh_sentences(), *reserved_sentences()}
    unique = dict.fromkeys(hanzi_only(sentence) for sentence in drawn)
    return tuple(sentence for sentence in unique if sentence and sentence not in kept_out)


def training_sentences() -> list[str]:
    """All sentences learnt from, unique, in a fixed order, Chinese characters only.

    None of them is in `heldout.txt` or `reserved.txt`.
    """
    return list(_training_text())


def text_digest(sentences: Iterable[str]) -> str:
    """SHA-256 of sentences, one a line."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()
