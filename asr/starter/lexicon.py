"""How words are pronounced."""

from __future__ import annotations

from functools import cache

from pypinyin import Style, lazy_pinyin

from asr.starter.phones import phones_of
from asr.starter.text import data_lines

SECOND_READING_COST = 1.0
"""Negative log-probability of a character's rarer readings."""

Phones = tuple[str, ...]


@cache
def level_one_readings() -> dict[str, tuple[str, ...]]:
    """The 3,500 level-one characters with their toneless readings, commonest first."""
    rows = (line.split("\t") for line in data_lines("characters.tsv"))
    return {character: tuple(readings.split()) for character, readings in rows}


def pronunciations(word: str) -> list[tuple[Phones, float]]:
    """Ways to say a word with their costs (negative log-probabilities, 0 for the usual one)."""
    readings = level_one_readings().get(word)
    if readings is not None:
        ways = [phones_of(reading) for reading in readings]
    else:
        syllables = lazy_pinyin(word, style=Style.NORMAL, v_to_u=False, strict=False)
        ways = [tuple(p for s in syllables for p in phones_of(s.replace("ü", "v")))]
    return [(way, 0.0 if i == 0 else SECOND_READING_COST) for i, way in enumerate(ways)]
