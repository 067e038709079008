"""What the second opinion of ``bot.urgent_opinion`` sees of a text, as numbers of buckets: runs of
characters and of fuzzy toneless syllables, the concepts its words stand for, and which concepts
come together.

Characters tell words apart, syllables survive a mishearing, concepts (``urgent_concepts.txt``)
carry what was learned of one word over to its like. All are hashed, so that the weights need no
list of runs. The same for training and for judging.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
_CHARS = (1, 2, 3)
_SOUNDS = (1, 2, 3, 4)
_MIXED = (2, 3)
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
    found = {_bucket("c", run) for run in _runs(part.chars, _CHARS) if STRUCK not in run}
    found.update(_bucket("s", run) for run in _runs(part.heard, _SOUNDS))
    found.update(_bucket("m", run) for run in _runs(_mixed(part), _MIXED) if STRUCK not in run)
    found.update(_bucket("k", name) for name in _concepts(part.places))
    return sorted(found)


def _runs(items: Sequence[str], lengths: Sequence[int]) -> Iterator[str]:
    edged = [_EDGE, *items, _EDGE]
    for length in lengths:
        for i in range(len(edged) - length + 1):
            yield " ".join(edged[i : i + length])


def _mixed(part: Signs) -> list[str]:
    """The characters, with each word that stands for a concept replaced by its first one."""
    mixed: list[str] = []
    at = 0
    for start, end, names in part.places:
        mixed += part.chars[at:start]
        mixed.append(f"<{names[0]}>")
        at = end
    return [*mixed, *part.chars[at:]]


def _concepts(places: Places) -> Iterator[str]:
    """Every concept, and every two that stand near each other, in their order."""
    for i, (_, _, names) in enumerate(places):
        yield from names
        for _, _, others in places[i + 1 : i + 1 + _NEAR]:
            for one in names:
                for other in others:
                    yield f"{one}>{other}"
                    yield "+".join(sorted((one, other)))


def _bucket(kind: str, run: str) -> int:
    return crc32(f"{kind}{run}".encode("utf-8", "replace")) % BUCKETS


def _places(
    chars: tuple[str, ...], heard: tuple[str, ...]
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    written, spoken = _words()
    at = 0
    while at < len(chars):
        for length in range(min(_LONGEST, len(chars) - at), 0, -1):
            names = written.get(chars[at : at + length]) or spoken.get(heard[at : at + length])
            if names:
                yield at, at + length, names
                at += length
                break
        else:
            at += 1


Words = Mapping[tuple[str, ...], tuple[str, ...]]


@cache
def _words() -> tuple[Words, Words]:
    """The concepts of words by their characters, and of longer words by their sound."""
    written: dict[tuple[str, ...], tuple[str, ...]] = {}
    spoken: dict[tuple[str, ...], tuple[str, ...]] = {}
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
    return written, spoken
