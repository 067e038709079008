"""Toneless pinyin and its fuzzy form, for what a recogniser or a dialect blurs.

Rasa's old environment loads this module: pypinyin and the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pypinyin import lazy_pinyin

from language.normal import LIMIT, bare

_RUNS = re.compile(r"[一-鿿]+|[a-z]+|\S")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_HU = {
    "hu": "fu", "hua": "fa", "huai": "fai", "huan": "fan", "huang": "fan", "hui": "fei",
    "hun": "fen", "huo": "fo", "hong": "fen",
}  # fmt: skip
_VOWELS = tuple("aeiouv")
_NASAL = re.compile(r"(?<=[aei])ng$")


def syllables(text: str) -> tuple[str, ...]:
    """One toneless syllable a Chinese character (ü as v); a Latin word, a digit and any other
    sign stay as they are. Punctuation and spaces are left out.
    """
    return _syllables(bare(text)[:LIMIT])


@lru_cache(maxsize=4096)
def _syllables(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for run in _RUNS.findall(text):
        found.extend(lazy_pinyin(run) if _is_han(run) else [run])
    return tuple(found)


def _is_han(run: str) -> bool:
    return "一" <= run[0] <= "鿿"


@lru_cache(maxsize=2048)
def fuzzy(syllable: str) -> str:
    """One syllable with the usual confusions merged.

    zh/z, ch/c, sh/s; n/l (first sound); h/f before u, where dialects mix them (hu = fu,
    hui = fei, hong = feng); ang/an, eng/en, ing/in.
    """
    if not syllable.isascii() or not syllable.isalpha():
        return syllable
    if syllable in _HU:
        return _HU[syllable]
    for long, short in _INITIALS:
        rest = syllable[len(long) :]
        if syllable.startswith(long) and rest[:1] in _VOWELS:
            syllable = short + rest
            break
    return _NASAL.sub("n", syllable)


def fuzzy_syllables(text: str) -> tuple[str, ...]:
    """``syllables`` with each made ``fuzzy``."""
    return tuple(fuzzy(s) for s in syllables(text))


def find_sound(text: str, sound: Sequence[str]) -> tuple[int, int] | None:
    """Where in ``text`` (start, end) the fuzzy syllables ``sound`` stand in a row, else None.

    Marks and spaces between them do not matter.
    """
    kept = [(i, c) for i, c in enumerate(text) if c.isalnum()]
    starts: list[int] = []
    for run in _RUNS.finditer("".join(c for _, c in kept).lower()):
        starts.extend(range(run.start(), run.end()) if _is_han(run.group()) else [run.start()])
    heard = [fuzzy(s) for s in _syllables("".join(c for _, c in kept).lower())]
    if len(heard) != len(starts) or not sound:
        return None
    for i in range(len(heard) - len(sound) + 1):
        if heard[i : i + len(sound)] == list(sound):
            last = starts[i + len(sound)] if i + len(sound) < len(starts) else len(kept)
            return kept[starts[i]][0], kept[last - 1][0] + 1
    return None


def ngrams(items: Sequence[str], low: int, high: int, joint: str = "") -> list[str]:
    """All runs of ``low`` to ``high`` neighbours of ``items``, each joined by ``joint``."""
    return [
        joint.join(items[i : i + n])
        for n in range(low, high + 1)
        for i in range(len(items) - n + 1)
    ]


def sounds_like(text: str, words: Iterable[str]) -> str:
    """The first of ``words`` whose fuzzy syllables stand in ``text``'s in a row, else ''."""
    heard = f" {' '.join(fuzzy_syllables(text))} "
    for word in words:
        wanted = " ".join(fuzzy_syllables(word))
        if wanted and f" {wanted} " in heard:
            return word
    return ""
