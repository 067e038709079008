"""Numbers, dates, money, telephone numbers and addresses as they are said, drawn at random."""

from __future__ import annotations

import random

DIGITS = "零一二三四五六七八九"
_LEADING = "一两三四五六七八九"
TELEPHONE_DIGITS = "零幺二三四五六七八九"
_MOBILE_PREFIXES = (
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "147", "150", "151", "152",
    "155", "156", "157", "158", "159", "166", "176", "177", "180", "185", "186", "187", "188",
    "189", "191", "199",
)  # fmt: skip


def say_digits(digits: str, names: str = TELEPHONE_DIGITS) -> str:
    """Digit by digit: 138 → 幺三八."""
    return "".join(names[int(digit)] for digit in digits)


def say_number(number: int) -> str:
    """0 to 99,999,999 as a numeral: 10500 → 一万零五百, 2300 → 两千三百."""
    if number >= 10000:
        rest = number % 10000
        gap = "零" if 0 < rest < 1000 else ""
        head = "两" if number // 10000 == 2 else say_number(number // 10000)
        return head + "万" + gap + (say_number(rest) if rest else "")
    if number < 20:
        tens = "十" if number >= 10 else ""
        units = DIGITS[number % 10] if number % 10 or number == 0 else ""
        return tens + units
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    words, pending_zero = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit = number // size % 10
        if digit == 0:
            pending_zero = bool(words)
            continue
        name = "两" if digit == 2 and size >= 1000 else DIGITS[digit]
        words += ("零" if pending_zero else "") + name + unit
        pending_zero = False
    return words


class SpokenNumbers:
    """Draws spoken numbers of every kind from one random source."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose

    def digit(self) -> str:
        """One to nine, as of a unit or an entrance."""
        return self._choose.choice(DIGITS[1:])

    def number(self) -> str:
        """A small count, mostly below 30."""
        roll = self._choose.random()
        if roll < 0.1:
            return "两"
        return say_number(
            self._choose.randint(1, 30) if roll < 0.8 else self._choose.randint(31, 400)
        )

    def phone(self) -> str:
        """A mobile number, at times a landline, with 幺 for one (seldom 一)."""
        if self._choose.random() < 0.15:
            digits = "".join(self._choose.choices("0123456789", k=self._choose.choice((7, 8))))
        else:
            digits = self._choose.choice(_MOBILE_PREFIXES) + self._eight_digits()
        return say_digits(digits, DIGITS if self._choose.random() < 0.1 else TELEPHONE_DIGITS)

    def _eight_digits(self) -> str:
        """The end of a mobile number; people choose repeats, so they are common."""
        pool = self._choose.choice(("0123456789", "0123456789", "01368", "0135", "6789"))
        return "".join(self._choose.choices(pool, k=8))

    def id_card(self) -> str:
        """Eighteen characters of an identity card, the last at times X."""
        digits = "".join(self._choose.choices("0123456789", k=17))
        return say_digits(digits) + self._choose.choice(TELEPHONE_DIGITS)

    def digits(self) -> str:
        """Two to ten digits, one after the other."""
        count = self._choose.randint(2, 10)
        names = self._choose.choice((DIGITS, TELEPHONE_DIGITS))
        return say_digits("".join(self._choose.choices("0123456789", k=count)), names)

    def room(self) -> str:
        """A flat: 五零二, 一二零三."""
        floor, door = self._choose.randint(1, 33), self._choose.randint(1, 6)
        return say_digits(f"{floor}{door:02d}") + self._choose.choice(("", "室", "房间", "号"))

    def date(self) -> str:
        """A day, at times with its year."""
        year = self._choose.choice(
            ("", "", "", "今年", "去年", "二零二四年", "二零二三年", "二零二五年")
        )
        month = say_number(self._choose.randint(1, 12))
        day = say_number(self._choose.randint(1, 31))
        return f"{year}{month}月{day}{self._choose.choice('号号号日')}"

    def time(self) -> str:
        """A time of day."""
        part = self._choose.choice(("", "早上", "上午", "中午", "下午", "晚上", "凌晨", "半夜"))
        hour = self._choose.randint(1, 12)
        tail = self._choose.choice(("", "", "", "半", "一刻", "多", "二十", "四十分", "左右", "钟"))
        return f"{part}{'两' if hour == 2 else say_number(hour)}点{tail}"

    def amount(self) -> str:
        """A sum of money as people round it: 两千三, 一万三千块钱, 三百五十元."""
        choose = self._choose
        unit = choose.choice(("块", "块钱", "元", "块", "块钱"))
        style = choose.randint(0, 5)
        if style == 0:
            return f"{choose.choice(_LEADING)}千{choose.choice(DIGITS[1:])}"
        if style == 1:
            sum_ = f"{choose.choice(_LEADING)}万{choose.choice(DIGITS[1:])}"
            return sum_ + choose.choice(("", "千", "千块"))
        if style == 2:
            about = choose.choice("一两三四五六七八九十几") + choose.choice("百千万")
            return about + choose.choice(("", "多")) + unit
        if style == 3:
            tens = say_number(choose.randint(1, 50))
            return f"{tens}万{choose.choice(('', '块', '块钱', '元', '多块'))}"
        top = choose.choice((100, 1000, 10000, 100000))
        return say_number(choose.randint(1, top)) + unit
