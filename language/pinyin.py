"""Toneless pinyin and its fuzzy form, for what a recogniser or a dialect blurs.

Rasa's old environment loads this module: pypinyin and the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT
from pypinyin.phrases_dict import phrases_dict
from pypinyin.seg.mmseg import seg

from language.normal import LIMIT, bare

_RUNS = re.compile(r"[一-鿿]+|[a-z]+|\S")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_HU = {
    "hu": "fu", "hua": "fa", "huai": "fai", "huan": "fan", "huang": "fan", "hui": "fei",
    "hun": "fen", "huo": "fo", "hong": "fen",
}  # fmt: skip
_VOWELS = tuple("aeiouv")
_NASAL = re.compile(r"(?<=[aei])ng$")


def _share_readings() -> None:
    """pypinyin keeps every character's reading in every one of its 47,000 phrases as a list of its
    own, 30 MB in each process; they are some 1,200 different ones.
    """
    known: dict[tuple[str, ...], list[str]] = {}
    for phrase, readings in PHRASES_DICT.items():
        PHRASES_DICT[phrase] = [known.setdefault(tuple(one), one) for one in readings]
    phrases_dict.update(PHRASES_DICT)  # of which the other is a copy


_share_readings()


def syllables(text: str) -> tuple[str, ...]:
    """One toneless syllable a Chinese character (ü as v); a Latin word, a digit and any other
    sign stay as they are. Punctuation and spaces are left out.
    """
    return _syllables(bare(text)[:LIMIT])


def _syllables(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for run in _RUNS.findall(text):
        found.extend(_read(run) if _is_han(run) else [run])
    return tuple(found)


@lru_cache(maxsize=1024)
def _read(run: str) -> tuple[str, ...]:
    """What ``lazy_pinyin`` gives for a run of characters, in a fifth of its time: it keeps nothing
    of a word that it has read before.
    """
    return tuple([syllable for word in seg.cut(run) for syllable in _reading(word)])


@lru_cache(maxsize=8192)
def _reading(word: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin([word]))  # in a list, it is not cut into words again


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


@dataclass(frozen=True, slots=True)
class Sounds:
    """A text as it sounds: ``row`` is its fuzzy syllables (see :func:`sound_row`); ``starts`` and
    ``ends`` are where in the text each of them begins and is over.
    """

    row: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def find(self, row: str) -> tuple[int, int] | None:
        """Where (start, end) in the text the syllables of ``row`` first stand one after the other,
        else None. Marks and spaces between them do not matter.
        """
        at = self.row.find(row)
        if at < 0:
            return None
        first = self.row.count(" ", 0, at)
        return self.starts[first], self.ends[first + row.count(" ") - 2]


def sound_row(syllables: Sequence[str]) -> str:
    """``syllables`` in one text, each between two spaces, for :meth:`Sounds.find`."""
    return f" {' '.join(syllables)} "


def sounds_of(text: str) -> Sounds:
    """How ``text`` sounds."""
    kept = [i for i, char in enumerate(text) if char.isalnum()]
    said = "".join([text[i].lower()[0] for i in kept])  # one for one, or no place would be right
    heard: list[str] = []
    starts: list[int] = []
    for run in _RUNS.finditer(said):
        if _is_han(run[0]):
            heard += map(fuzzy, _read(run[0]))
            starts += range(run.start(), run.end())
        else:
            heard.append(fuzzy(run[0]))
            starts.append(run.start())
    if len(heard) != len(starts):
        return Sounds("", (), ())
    lasts = [start - 1 for start in (*starts[1:], len(kept))] if starts else []
    return Sounds(
        sound_row(heard), tuple([kept[i] for i in starts]), tuple([kept[i] + 1 for i in lasts])
    )


def find_sound(text: str, sound: Sequence[str]) -> tuple[int, int] | None:
    """Where in ``text`` (start, end) the fuzzy syllables ``sound`` stand in a row, else None.

    Marks and spaces between them do not matter. Who looks for many takes :func:`sounds_of`.
    """
    return sounds_of(text).find(sound_row(sound)) if sound else None


def ngrams(items: Sequence[str], low: int, high: int, joint: str = "") -> list[str]:
    """All runs of ``low`` to ``high`` neighbours of ``items``, each joined by ``joint``."""
    return [
        joint.join(items[i : i + n])
        for n in range(low, high + 1)
        for i in range(len(items) - n + 1)
    ]


def sounds_like(text: str, words: Iterable[str]) -> str:
    """The first of ``words`` whose fuzzy syllables stand in ``text``'s in a row, else ''."""
    heard = sound_row(fuzzy_syllables(text))
    for word in words:
        wanted = fuzzy_syllables(word)
        if wanted and sound_row(wanted) in heard:
            return word
    return ""
