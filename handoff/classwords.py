"""Words of the city's classification found in a text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.classes import ClassesFile, Leaf, Pressing

_GAP = "…"
_GAP_PATTERN = "[^。！？!?]{0,12}?"


@dataclass(frozen=True, slots=True)
class _Word:
    """A word to look for; ``pattern`` only where it has a gap."""

    text: str
    weight: float
    pattern: re.Pattern[str] | None = None

    def found(self, text: str) -> str:
        """What of ``text`` it is, else ''."""
        if self.pattern is None:
            return self.text if self.text in text else ""
        match = self.pattern.search(text)
        return match.group() if match else ""


def _word(text: str) -> _Word:
    parts = [re.escape(part) for part in text.split(_GAP)]
    weight = float(len(text.replace(_GAP, "")))
    if len(parts) == 1:
        return _Word(text, weight)
    return _Word(text, weight + 1.0, re.compile(_GAP_PATTERN.join(parts)))


@dataclass(frozen=True, slots=True)
class _LeafWords:
    leaf: Leaf
    words: tuple[_Word, ...]
    unless: tuple[_Word, ...]


@dataclass(frozen=True, slots=True)
class _PressingWords:
    pressing: Pressing
    all: tuple[tuple[_Word, ...], ...]
    unless: tuple[_Word, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A class that words speak for: ``score`` grows with their length, ``quotes`` are they."""

    leaf: Leaf
    score: float
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Urged:
    """Why a request is pressing."""

    pressing: Pressing
    quotes: tuple[str, ...]


class ClassWords:
    """The words of a city's classes, made ready once. Immutable."""

    def __init__(self, classes: ClassesFile) -> None:
        self._leaves = tuple(
            _LeafWords(leaf, _words(leaf.words), _words(leaf.unless)) for leaf in classes.leaves()
        )
        self._pressing = tuple(
            _PressingWords(one, tuple(_words(words) for words in one.all), _words(one.unless))
            for one in classes.pressing
        )

    def hits(self, text: str) -> tuple[Hit, ...]:
        """Classes with a word in ``text``, the likeliest first."""
        found = (_hit(leaf, text) for leaf in self._leaves)
        return tuple(sorted((hit for hit in found if hit), key=lambda hit: -hit.score))

    def urged(self, text: str) -> tuple[Urged, ...]:
        """What makes ``text`` pressing, in the file's order."""
        return tuple(why for one in self._pressing if (why := _urged(one, text)))


def _words(texts: Sequence[str]) -> tuple[_Word, ...]:
    return tuple(_word(text) for text in texts)


def _first(words: Sequence[_Word], text: str) -> str:
    return next((said for word in words if (said := word.found(text))), "")


def _hit(leaf: _LeafWords, text: str) -> Hit | None:
    said = [(word, quote) for word in leaf.words if (quote := word.found(text))]
    if not said or _first(leaf.unless, text):
        return None
    # 停车费 holds 停车: one word, told once.
    apart = [
        (word, quote)
        for word, quote in said
        if not any(quote != other and quote in other for _, other in said)
    ]
    score = max(word.weight for word, _ in apart) + 0.5 * (len(apart) - 1)
    apart.sort(key=lambda pair: -pair[0].weight)
    return Hit(leaf.leaf, score, tuple(dict.fromkeys(quote for _, quote in apart)))


def _urged(one: _PressingWords, text: str) -> Urged | None:
    quotes = tuple(_first(words, text) for words in one.all)
    if not all(quotes) or _first(one.unless, text):
        return None
    return Urged(one.pressing, quotes)
