"""Whether a turn inside a talk goes on about the talk's matter (那要带什么, 我老婆的也行吗).

A logistic model over what the classifiers and names say of the turn by itself. It was fitted on
2,600 labelled turns: follow-ups written for it, turns that change the matter, and sentences about
none, the latter two asked of classifiers that had not learned them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from knowledge.asking import NOTHING
from knowledge.reading import Reading
from knowledge.signs import signs
from language.people import for_whom

_FARTHEST = -1.5
_LONG = 8
_LONGEST = 16
_ELLIPSIS = re.compile(r"^[^怎咋哪啥几谁多么]+呢\W*$")
_UNKNOWN = -1.0
_TOO = re.compile(r"也|一起|一块|跟着|一道|同样")
_GOES_ON = re.compile(r"^那|的呢\W*$")
_ASTRAY = 0.3
_NAMED = 0.25
_ALIKE = -0.5
_BY_OPENING, _BY_ENDING = 0.6, 0.3

_BIAS = 0.74
_WEIGHTS: Mapping[str, float] = {
    "outside": -2.38, "generic": 2.99, "strange": -2.87, "own": 2.11, "other": -2.97,
    "lead": -2.3, "own_chance": 1.16, "other_chance": -1.83, "aspect": 0.7, "nothing": -0.06,
    "length": -2.84, "long": -2.65, "own_near": 3.05, "other_near": 1.68, "ellipsis": 4.13,
    "too": 6.19, "whom": 2.05,
}  # fmt: skip


def carries(
    text: str, matter: str, chances: Mapping[str, float], strange: float, reading: Reading
) -> float:
    """How likely (0 to 1) a turn in a talk about ``matter`` is still about it.

    ``reading``: what was made of the turn; ``chances``: of the matters it may name by itself;
    ``strange``: the share of its signs that no word known here has.
    """
    worths = _worths(text, matter, chances, strange, reading)
    total = _BIAS + sum(_WEIGHTS[name] * worth for name, worth in worths.items())
    chance = 1.0 / (1.0 + math.exp(-total))
    return _by_form(chance, text, worths) if elliptic(text) else chance


def _by_form(chance: float, text: str, worths: Mapping[str, float]) -> float:
    """What 那配眼镜呢 is worth by its form alone, where nothing says that it is about something
    else: words that no matter knows tell nothing then. 天气呢 is about something else.
    """
    if worths["outside"] >= _ASTRAY:
        return min(chance, _BY_ENDING)
    if worths["other_chance"] >= _NAMED or worths["other"] >= _ALIKE:
        return chance
    return max(chance, _BY_OPENING if _GOES_ON.search(text) else _BY_ENDING)


def elliptic(text: str) -> bool:
    """Whether it only names another case: 小孩的呢."""
    return bool(_ELLIPSIS.search(text))


def _worths(
    text: str, matter: str, chances: Mapping[str, float], strange: float, reading: Reading
) -> dict[str, float]:
    said = signs(text)
    own = reading.matter(matter)
    other = _best_other(reading.matters, matter, _UNKNOWN)
    asked = (score for aspect, score in reading.aspects.items() if aspect != NOTHING)
    return {
        "outside": reading.outside, "generic": reading.generic, "strange": strange,
        "own": own, "other": other, "lead": max(own - other, _FARTHEST),
        "own_chance": chances.get(matter, 0.0), "other_chance": _best_other(chances, matter, 0.0),
        "aspect": max(asked, default=_UNKNOWN), "nothing": reading.aspects.get(NOTHING, 0.0),
        "length": min(len(said.chars), _LONGEST) / _LONG,
        "long": max(0, len(said.chars) - _LONG) / _LONG,
        "own_near": reading.near.matters.get(matter, 0.0),
        "other_near": _best_other(reading.near.matters, matter, 0.0),
        "ellipsis": float(elliptic(text)), "too": float(bool(_TOO.search(text))),
        "whom": float(bool(for_whom(text))),
    }  # fmt: skip


def _best_other(scores: Mapping[str, float], matter: str, least: float) -> float:
    best = max(scores.values(), default=least)
    if scores.get(matter) != best:
        return best
    return max((score for code, score in scores.items() if code != matter), default=least)
