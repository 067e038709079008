"""What the act classifier looks at in a sentence: pure, the same in training and in a talk."""

from __future__ import annotations

from language.normal import for_matching
from language.pinyin import fuzzy_syllables, ngrams

_HEAD = 6  # characters: how it begins (我要举报…)
_TAIL = 8  # characters: the wish or the question often stands last
_LONGEST = 12  # pairs of characters from which a text counts as long


def analyse(text: str) -> list[str]:
    """The features of ``text``, each as often as it occurs.

    The n-grams (1 to 3) of its characters and of its fuzzy syllables (``p:``), those of its first
    and last characters once more (``h:``, ``t:``), and how long it is (``len:``): 对 is an answer,
    a story is not.
    """
    bare = for_matching(text)
    return [
        *ngrams(["^", *bare, "$"], 1, 3),
        *(f"p:{gram}" for gram in ngrams(["^", *fuzzy_syllables(bare), "$"], 1, 3, "-")),
        *(f"t:{gram}" for gram in ngrams([*bare[-_TAIL:], "$"], 1, 2)),
        *(f"h:{gram}" for gram in ngrams(["^", *bare[:_HEAD]], 1, 2)),
        *[f"len:{min(_LONGEST, len(bare) // 2)}"] * 2,
    ]
