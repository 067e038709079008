"""Numbers written in digits, turned into the words they are read as."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from language.telephone import spoken_digits

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 16
_TWO = re.compile("二(?=[千万亿])(?<!十二)")
_PLAIN = str.maketrans("0123456789", "零一二三四五六七八九")


@cache
def _an2cn() -> Callable[[str], str]:
    from cn2an import an2cn  # 0.2 s, so only when first needed

    return lambda digits: str(an2cn(digits))


def year_digits(year: str) -> str:
    """2025 → 二零二五: as years and rooms are read, 1 as 一."""
    return year.translate(_PLAIN)


def number_words(number: str, measure: bool = False) -> str:
    """``number`` (digits, thousands commas, one point) in words: 1,500 → 一千五百.

    ``measure``: a measure word follows, so 2 is 两. What is too long to be a quantity or starts
    with 0 is read digit by digit.
    """
    whole, point, fraction = number.replace(",", "").partition(".")
    if len(whole) > _LONGEST or (len(whole) > 1 and whole[0] == "0"):
        return spoken_digits(number.replace(".", "点"))
    if whole == "2" and measure and not point:
        return "两"
    words = _TWO.sub("两", _an2cn()(whole or "0"))
    fraction = fraction.rstrip("0")
    return f"{words}点{year_digits(fraction)}" if fraction else words
