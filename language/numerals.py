"""How Mandarin writes and says one number: 两千三, 一百零五, 3万5, 三点五, 幺三八.

Rasa's old environment may load this module: standard library only.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

DIGITS = {
    "零": 0, "〇": 0, "○": 0, "一": 1, "壹": 1, "幺": 1, "二": 2, "贰": 2, "两": 2, "三": 3,
    "叁": 3, "四": 4, "肆": 4, "五": 5, "伍": 5, "六": 6, "陆": 6, "七": 7, "柒": 7, "八": 8,
    "捌": 8, "九": 9, "玖": 9,
}  # fmt: skip
UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8}

_D = "".join(DIGITS)
_U = "".join(UNITS)
_M = "".join(MYRIADS)
_WRITTEN = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,5}|[0-9]{1,24})(?:\.[0-9]{1,12})?"
NUMERAL = (
    rf"(?>(?:{_WRITTEN}|[{_D}{_U}])(?:[{_D}{_U}{_M}0-9]){{0,24}}(?:点[{_D}0-9]{{1,12}}[{_M}]?)?)"
)
"""A pattern for a number, spoken or written; ``value`` decides whether it is one."""

_ARABIC = re.compile(_WRITTEN)
_LONGEST = 24


def value(text: str) -> Decimal | None:
    """The number ``text`` stands for as a whole, else None.

    两千三 = 2300, 一百五 = 150, 一百零五 = 105, 二零二五 = 2025, 1.3万 = 13000, 三点五 = 3.5.
    Two digits before a unit (两三千) are an estimate, not a number: None.
    """
    if not 0 < len(text) <= _LONGEST:
        return None
    whole, point, fraction = text.replace("○", "〇").partition("点")
    if not point:
        return _whole(whole)
    scale = 1
    if fraction and fraction[-1] in MYRIADS:
        scale, fraction = MYRIADS[fraction[-1]], fraction[:-1]
    head, tail = _whole(whole), digit_string(fraction)
    return None if head is None or not tail else Decimal(f"{head}.{tail}") * scale


def digit_string(text: str) -> str:
    """``text`` as Arabic digits when every sign of it is one digit (零 to 九, 幺, 两), else ''."""
    if all(c in DIGITS or (c.isascii() and c.isdigit()) for c in text):
        return "".join(str(DIGITS.get(c, c)) for c in text)
    return ""


def _whole(text: str) -> Decimal | None:
    arabic = _ARABIC.fullmatch(text)
    if arabic:
        return _decimal(text)
    digits = digit_string(text)
    if digits:
        return Decimal(digits)
    return _with_units(_tokens(text))


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def _tokens(text: str) -> list[Decimal | str] | None:
    """Numbers as they stand and units as signs; None at anything else."""
    tokens: list[Decimal | str] = []
    at = 0
    while at < len(text):
        arabic = _ARABIC.match(text, at)
        char = text[at]
        if arabic:
            tokens.append(Decimal(arabic.group().replace(",", "")))
            at = arabic.end()
            continue
        if char in DIGITS:
            tokens.append(Decimal(DIGITS[char]))
        elif char in UNITS or char in MYRIADS:
            tokens.append(char)
        else:
            return None
        at += 1
    return tokens


class _Sum:
    """Adds tokens up from the left: a section below 万, then 万 and 亿."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.section = Decimal(0)
        self.pending: Decimal | None = None
        self.zero = False  # a 零 was said since the last unit
        self.unit = Decimal(1)  # the last unit said, for the bare digit at the end

    def number(self, n: Decimal) -> bool:
        if n == 0 and self.pending is None:
            self.zero = True
            return True
        if self.pending is not None:
            return False
        self.pending = n
        return True

    def small(self, unit: int) -> bool:
        if self.pending is None and (unit != 10 or (self.section and not self.zero)):
            return False
        self.section += (1 if self.pending is None else self.pending) * unit
        self.pending, self.zero, self.unit = None, False, Decimal(unit)
        return True

    def myriad(self, unit: int) -> bool:
        below = self.section + (self.pending or 0)
        if not below and not self.total:
            return False
        self.total = (self.total + below) * unit if unit > 10**4 else self.total + below * unit
        self.section, self.pending, self.zero, self.unit = Decimal(0), None, False, Decimal(unit)
        return True

    def close(self) -> Decimal:
        if self.pending is not None:
            colloquial = not self.zero and self.unit > 10 and 0 < self.pending < 10
            self.section += self.pending * (self.unit / 10 if colloquial else 1)
        return self.total + self.section


def _with_units(tokens: list[Decimal | str] | None) -> Decimal | None:
    if not tokens or not any(isinstance(t, str) for t in tokens):
        return None
    running = _Sum()
    for token in tokens:
        if isinstance(token, Decimal):
            fine = running.number(token)
        elif token in UNITS:
            fine = running.small(UNITS[token])
        else:
            fine = running.myriad(MYRIADS[token])
        if not fine:
            return None
    return running.close()
