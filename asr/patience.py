"""How much silence ends a turn, by what is expected and what was said. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from turns.replies import Expects

SILENCE_S: dict[Expects, float] = {
    "open": 0.55,
    "yes_no": 0.5,
    "choice": 0.5,
    "digits": 0.9,
    "address": 0.8,
}
"""Trailing silence in seconds where the words say nothing more."""
SATISFIED_S = 0.3
"""Trailing silence when the words at rest already answer a narrow question."""
COMPLETE_S = 0.3
"""Trailing silence when the dialogue knows what it will answer to the words as they stand.

All of these begin where voice activity sees the voice end: 60 to 110 ms after its last sound.
"""
AT_REST_S = 0.25
"""Words unchanged for so long are at rest: a recogniser tells partials every 60 to 200 ms."""
COMPLETE_AT_REST_S = 0.15
"""The same for words that the dialogue has looked at: they rested before it did."""
UNFINISHED_S = 0.9
"""Trailing silence after words that promise more."""
NO_WORDS_S = 0.8
"""Voice but no words yet: the recogniser is behind, or it was a noise."""

_YES_NO = re.compile(
    r"(是的?|对对?的?|没错|好[的啊]?|行|可以|嗯|要|需要|有"
    r"|不|不是的?|不对|不行|不用|不要|不需要|不可以|没有|不了|错了)[啊吧呢了]?"
)
_UNFINISHED = re.compile(
    r"(然后|还有|就是|就是说|因为|所以|但是|如果|那个|这个|而且|或者|以及|我想|我要|嗯|呃|和|跟|在)$"
)
_DIGIT = "零〇一二两三四五六七八九幺0-9"
_MOBILE = re.compile(rf"[一幺1][{_DIGIT}]{{10}}")
_IDENTITY = re.compile(rf"[{_DIGIT}]{{17}}[{_DIGIT}xX]")


@dataclass(frozen=True, slots=True)
class Answering:
    """What the caller has said so far, and to what.

    ``words`` (no spaces) are unchanged for ``at_rest_s`` seconds; ``phrases`` are answers that are
    whole as they stand (a grammar); ``complete``: the dialogue knows its answer to these words.
    """

    expects: Expects
    words: str
    at_rest_s: float
    phrases: frozenset[str] = frozenset()
    complete: bool = False


def patience(said: Answering, *, pace_s: float = 0.0, cut_off_s: float = 0.0) -> float:
    """Seconds of silence that end the turn.

    ``pace_s`` is what this caller's own pace asks for, ``cut_off_s`` what it asks for because a
    turn was once ended too early: then only the plain answer to a narrow question ends sooner.
    """
    at_rest = said.at_rest_s >= AT_REST_S
    if at_rest and is_satisfied(said.expects, said.words, said.phrases):
        return SATISFIED_S
    seen = said.complete and said.at_rest_s >= COMPLETE_AT_REST_S
    if seen and not _UNFINISHED.search(said.words):
        return max(COMPLETE_S, cut_off_s)
    return max(_usual(said.expects, said.words), pace_s)


def _usual(expects: Expects, words: str) -> float:
    if not words:
        return max(NO_WORDS_S, SILENCE_S[expects])
    if expects != "yes_no" and _UNFINISHED.search(words):
        return max(UNFINISHED_S, SILENCE_S[expects])
    return SILENCE_S[expects]


def is_satisfied(expects: Expects, words: str, phrases: frozenset[str] = frozenset()) -> bool:
    """Whether ``words`` (no spaces) plainly answer what is expected."""
    if words in phrases and expects != "digits":
        return not any(phrase != words and phrase.startswith(words) for phrase in phrases)
    if expects == "yes_no":
        return _YES_NO.fullmatch(words) is not None
    if expects == "digits":
        return bool(_MOBILE.fullmatch(words) or _IDENTITY.fullmatch(words))
    return False
