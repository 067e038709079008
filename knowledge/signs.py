"""A text as its signs: characters and, beside each, its fuzzy toneless syllable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from language.normal import for_matching
from language.pinyin import fuzzy_syllables

LONGEST = 240
"""How many signs of a text are looked at; of a longer one its end, where the question stands."""

_TOKENS = re.compile(r"[a-z]+|\d|\S")


@dataclass(frozen=True, slots=True)
class Signs:
    """``chars[i]`` is spoken as ``syllables[i]``; both have the same length."""

    chars: tuple[str, ...]
    syllables: tuple[str, ...]

    @property
    def text(self) -> str:
        """The signs in a row."""
        return "".join(self.chars)

    def grams(self, longest: int = 3) -> Iterator[tuple[int, int, str, str]]:
        """Runs of 1 to ``longest`` signs: start, length, characters, syllables."""
        for length in range(1, longest + 1):
            for start in range(len(self.chars) - length + 1):
                end = start + length
                yield (
                    start, length, "".join(self.chars[start:end]),
                    " ".join(self.syllables[start:end]),
                )  # fmt: skip


@lru_cache(maxsize=4096)
def signs(text: str) -> Signs:
    """``text`` without punctuation and fillers, as signs; empty for an unreadable one."""
    chars = tuple(_TOKENS.findall(for_matching(text)))[-LONGEST:]
    syllables = fuzzy_syllables("".join(chars))
    if len(syllables) != len(chars):  # a sign that the syllables leave out or split
        syllables = tuple(" ".join(fuzzy_syllables(char)) or char for char in chars)
    return Signs(chars, syllables)
