"""Which words the model knows, and how sentences are cut into them."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Container
from functools import cache

import jieba

from asr.starter.lexicon import level_one_readings
from asr.starter.text import data_lines

GENERAL_WORDS = 40_000
"""How many of jieba's commonest words are known besides the domain's."""

_NAMES = ("nr", "nt", "nz")
_NUMERALS = frozenset("零〇一二两三四五六七八九十百千万亿幺几多半")
_MEASURES = frozenset("号月日年点块元楼层栋室单分岁路第")


@cache
def _tokenizer() -> jieba.Tokenizer:
    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for word in data_lines("text/words.txt"):
        tokenizer.add_word(word)
    return tokenizer


def _is_number(word: str) -> bool:
    return word[0] in _NUMERALS | {"第"} and all(c in _NUMERALS | _MEASURES for c in word)


def segment(sentence: str) -> list[str]:
    """Words of a sentence; numbers, with their measure words, are cut into characters."""
    words: list[str] = []
    for word in _tokenizer().cut(sentence, HMM=False):
        words.extend(word if _is_number(word) else (word,))
    return words


def known_words(sentence: str, words: Container[str]) -> list[str]:
    """`segment` for a runtime grammar: words that a model does not know are cut into characters,
    and characters that it does not know are left out."""
    parts = (part for word in segment(sentence) for part in ((word,) if word in words else word))
    return [part for part in parts if part in words]


def _general_frequencies() -> dict[str, float]:
    """Jieba's words of level-one characters and their counts, without names of people,
    bodies and products."""
    known = level_one_readings()
    with _tokenizer().get_dict_file() as file:
        rows = [line.decode().split() for line in file]
    return {
        word: float(count)
        for word, count, tag in rows
        if int(count) > 0 and not tag.startswith(_NAMES) and all(c in known for c in word)
    }


def general_words() -> dict[str, float]:
    """Jieba's commonest words and every level-one character, with their counts (at least 1)."""
    frequencies = _general_frequencies()
    ranked = sorted(frequencies, key=lambda word: (-frequencies[word], word))[:GENERAL_WORDS]
    chosen = {word: frequencies[word] for word in ranked if not _is_number(word) or len(word) == 1}
    characters = dict.fromkeys(level_one_readings(), 1.0)
    return characters | chosen


def random_phrases(count: int, seed: int) -> list[str]:
    """Meaningless strings of two to seven general words, so that training hears every syllable."""
    choose = random.Random(seed)  # noqa: S311 - reproducible data, not a secret
    words = sorted(general_words().items())
    names = [word for word, _ in words]
    # The square root flattens the counts: rare words are heard too.
    weights = [math.sqrt(frequency) for _, frequency in words]
    return ["".join(choose.choices(names, weights, k=choose.randint(2, 7))) for _ in range(count)]
