"""Which of many patterns a text cannot match, by the characters that it lacks: the short way past
nearly all of a city's rules, for nearly every turn is calm.

A match of ``煤气…漏`` has a 煤, a 气 and a 漏. Each pattern is read once for such needs; a text is
then asked for its characters alone. What is left has to be tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import zip_longest
from re import IGNORECASE
from typing import Any

# The standard library's own reading of a pattern; it goes by no public name. What it may come to
# say that is not known here needs nothing, so that the pattern is tried.
_parser: Any = import_module("re._parser")
_MOST = 4
_WIDE = 64
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")

Need = frozenset[str]
"""A match has at least one of these characters."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """``count`` patterns, a bit each (the first is 1). ``having``: for the first, second … need,
    which patterns each character meets it of; ``free``: which have no such need.
    """

    count: int
    having: tuple[Mapping[str, int], ...]
    free: tuple[int, ...]

    def left(self, text: str) -> Iterator[int]:
        """The numbers (from 0, rising) of the patterns that ``text`` may match; it matches no
        other.
        """
        chars = set(text)
        left = (1 << self.count) - 1
        for having, met in zip(self.having, self.free, strict=True):
            for char in chars:
                met |= having.get(char, 0)
            left &= met
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest


@lru_cache(maxsize=2)  # a city is read twice: checked, then joined
def sieve(patterns: tuple[str, ...]) -> Sieve:
    """The sieve for ``patterns``, which are regular expressions without flags of their own."""
    listed = [needs(pattern)[:_MOST] for pattern in patterns]
    rows = [_row(row) for row in zip_longest(*listed, fillvalue=None)]
    having, free = tuple(having for having, _ in rows), tuple(free for _, free in rows)
    return Sieve(len(listed), having, free)


def _row(row: Sequence[Need | None]) -> tuple[Mapping[str, int], int]:
    having: dict[str, int] = {}
    free = 0
    for number, need in enumerate(row):
        if need is None:
            free |= 1 << number
        for char in need or ():
            having[char] = having.get(char, 0) | 1 << number
    return having, free


def needs(pattern: str) -> list[Need]:
    """What every match of ``pattern`` has, the rarest first; nothing where that cannot be told."""
    read = _parser.parse(pattern)
    return [] if read.state.flags & IGNORECASE else _rarest(_of_all(read))


def _rarest(found: Iterable[Need]) -> list[Need]:
    return sorted(dict.fromkeys(found), key=lambda need: (len(need), sorted(need)))


def _of_all(items: Iterable[tuple[Any, Any]]) -> list[Need]:
    return [need for op, value in items for need in _of(str(op), value)]


def _of(op: str, value: Any) -> list[Need]:
    if op == "LITERAL":
        return [frozenset(chr(value))]
    if op == "IN":
        return _of_class(value)
    if op in _REPEATS:
        return _of_all(value[2]) if value[0] else []
    if op == "SUBPATTERN":
        return [] if value[1] & IGNORECASE else _of_all(value[3])
    if op == "ATOMIC_GROUP":
        return _of_all(value)
    return _of_branches(value[1]) if op == "BRANCH" else []


def _of_class(parts: Iterable[tuple[Any, Any]]) -> list[Need]:
    """One need; none for a class that is negated, named (``\\d``) or wide."""
    chars: set[str] = set()
    for op, value in parts:
        if str(op) == "LITERAL":
            chars.add(chr(value))
        elif str(op) == "RANGE" and value[1] - value[0] < _WIDE:
            chars.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return []
    return [frozenset(chars)]


def _of_branches(branches: Iterable[Iterable[tuple[Any, Any]]]) -> list[Need]:
    """One of the first needs, and one of the second where every branch has two."""
    listed = [_rarest(_of_all(branch)) for branch in branches]
    return [frozenset().union(*together) for together in zip(*listed, strict=False)]
