"""What the second opinion of ``bot.urgent_opinion`` sees of a text, as numbers of buckets: runs of
characters and of fuzzy toneless syllables, the concepts its words stand for, and which concepts
come together.

Characters tell words apart, syllables survive a mishearing, concepts (``urgent_concepts.txt``)
carry what was learned of one word over to its like. All are hashed, so that the weights need no
list of runs. The same for training and for judging.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from zlib import crc32

from language.normal import bare
from language.pinyin import fuzzy, syllables

BUCKETS = 1 << 16
STRUCK = "\0"
"""Stands for a character that is not to be believed: it is in no run of characters."""

CONCEPTS = Path(__file__).with_name("urgent_concepts.txt")
"""Concepts and their words."""
_TOKENS = re.compile(r"[一-鿿]|[a-z]+|\S")
_DIGIT = re.compile(r"\d")
_EDGE = "^"
_WINDOW = 26
_STEP = 13
_NEAR = 6
_LONGEST = 6

Places = tuple[tuple[int, int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a text (a Latin word is one), beside each its fuzzy syllable, and where
    (start, end) which concepts are named.
    """

    chars: tuple[str, ...]
    heard: tuple[str, ...]
    places: Places

    def part(self, start: int, end: int) -> Signs:
        """The signs from ``start`` to ``end``."""
        places = tuple(
            (a - start, b - start, names) for a, b, names in self.places if a >= start and b <= end
        )
        return Signs(self.chars[start:end], self.heard[start:end], places)


def signs(text: str) -> Signs:
    """The signs of ``text``, without punctuation; every digit is a 0."""
    plain = _DIGIT.sub("0", bare(text))
    chars = tuple(_TOKENS.findall(plain))
    heard = tuple(fuzzy(s) for s in syllables(plain))
    return placed(chars, heard if len(heard) == len(chars) else chars)


def placed(chars: tuple[str, ...], heard: tuple[str, ...]) -> Signs:
    """Signs of ``chars`` that sound as ``heard``; struck ones are known by their sound only."""
    return Signs(chars, heard, tuple(_places(chars, heard)))


def windows(whole: Signs) -> Iterator[Signs]:
    """Overlapping stretches of ``whole`` where it is a long story; else none."""
    length = len(whole.chars)
    if length > _WINDOW + _STEP:
        for start in range(0, length - _WINDOW + _STEP, _STEP):
            yield whole.part(start, min(start + _WINDOW, length))


def buckets(part: Signs) -> list[int]:
    """The buckets (0 to ``BUCKETS`` - 1) of all runs and concepts in ``part``, each once, in
    rising order.
    """
    return sorted(bucket_set(part))


def bucket_set(part: Signs) -> set[int]:
    """``buckets`` for whom the order does not matter."""
    found: set[int] = set()
    _add_runs(found, b"c", part.chars, 1, 3)
    _add_runs(found, b"s", part.heard, 1, 4)
    _add_runs(found, b"m", _mixed(part), 2, 3)
    _add_concepts(found, part.places)
    return found


def _add_runs(
    found: set[int], kind: bytes, items: Sequence[str], shortest: int, longest: int
) -> None:
    """The buckets of the runs of ``items``, struck ones left out: each run's sum goes on from that
    of the run one shorter.
    """
    coded = [_coded(item) for item in (_EDGE, *items, _EDGE)]
    begun = crc32(kind)
    for start, first in enumerate(coded):
        if not first:
            continue
        summed = crc32(first[1:], begun)
        if shortest == 1:
            found.add(summed % BUCKETS)
        for code in coded[start + 1 : start + longest]:
            if not code:
                break
            summed = crc32(code, summed)
            found.add(summed % BUCKETS)


@lru_cache(maxsize=8192)
def _coded(item: str) -> bytes:
    """``item`` as it stands within a run, after a space; none where it is struck."""
    return b"" if item == STRUCK else f" {item}".encode("utf-8", "replace")


def _mixed(part: Signs) -> list[str]:
    """The characters, with each word that stands for a concept replaced by its first one."""
    mixed: list[str] = []
    at = 0
    for start, end, names in part.places:
        mixed += part.chars[at:start]
        mixed.append(f"<{names[0]}>")
        at = end
    return [*mixed, *part.chars[at:]]


def _add_concepts(found: set[int], places: Places) -> None:
    """The buckets of every concept, and of every two that stand near each other."""
    for i, (_, _, names) in enumerate(places):
        found.update([_named(name) for name in names])
        for _, _, others in places[i + 1 : i + 1 + _NEAR]:
            for one in names:
                for other in others:
                    found.update(_both(one, other))


@cache
def _named(name: str) -> int:
    return crc32(f"k{name}".encode()) % BUCKETS


@cache
def _both(one: str, other: str) -> tuple[int, int]:
    """The buckets of two concepts in their order, and in any."""
    return _named(f"{one}>{other}"), _named("+".join(sorted((one, other))))


def _places(
    chars: tuple[str, ...], heard: tuple[str, ...]
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The concepts named from left to right, by the longest words."""
    words = _words()
    at, count = 0, len(chars)
    while at < count:
        reach = max(words.reach.get(chars[at], 0), words.spoken_reach.get(heard[at], 0))
        for end in range(min(at + reach, count), at, -1):
            names = words.written.get(chars[at:end]) or words.spoken.get(heard[at:end])
            if names:
                yield at, end, names
                at = end
                break
        else:
            at += 1


Names = dict[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Words:
    """The concepts of words by their characters, and of longer words by their sound; ``reach`` and
    ``spoken_reach``: how long the words are at most that begin with a character, with a syllable.
    """

    written: Names
    spoken: Names
    reach: dict[str, int]
    spoken_reach: dict[str, int]


@cache
def _words() -> _Words:
    written: Names = {}
    spoken: Names = {}
    for line in CONCEPTS.read_text(encoding="utf-8").splitlines():
        name, _, words = line.partition(":")
        if line.startswith("#") or not words:
            continue
        for word in words.split():
            plain = _DIGIT.sub("0", bare(word))
            chars = tuple(_TOKENS.findall(plain))
            sound = tuple(fuzzy(s) for s in syllables(plain))
            written[chars] = (*written.get(chars, ()), name)
            if len(sound) > 1 and len(sound) == len(chars):
                known = spoken.get(sound, ())
                spoken[sound] = known if name in known else (*known, name)
    return _Words(written, spoken, _reach(written), _reach(spoken))


def _reach(words: Names) -> dict[str, int]:
    longest: dict[str, int] = {}
    for word in words:
        if word:
            longest[word[0]] = min(_LONGEST, max(len(word), longest.get(word[0], 0)))
    return longest
