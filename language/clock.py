"""The hours of spoken time: 晚上十点半, 半夜一两点, 22:30."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from language.numerals import value

_N = "[0-9零一二两三四五六七八九十]{1,3}"
_PART = {
    "凌晨": (0, 5), "后半夜": (0, 5), "清晨": (5, 8), "早上": (6, 9), "大清早": (5, 8),
    "一大早": (5, 8), "一早": (6, 9), "早起": (6, 9), "大早上": (6, 9), "晌午": (11, 14),
    "大中午": (11, 14), "大晚上": (18, 24), "擦黑": (17, 19), "后晌": (12, 18),
    "下晚": (17, 20), "黑夜": (21, 24), "大白天": (8, 18), "夜晚": (18, 24), "晚间": (18, 24),
    "早晨": (6, 9), "黑天": (18, 24), "当晚": (18, 24), "上午": (8, 12), "白天": (8, 18),
    "中午": (11, 14), "午后": (12, 15), "下午": (12, 18), "傍晚": (17, 19), "晚上": (18, 24),
    "夜里": (21, 24), "夜间": (21, 24), "半夜": (22, 26), "深夜": (22, 26), "大半夜": (22, 26),
    "前半夜": (21, 24), "下半夜": (0, 5), "三更半夜": (22, 26), "深更半夜": (22, 26),
    "早": (6, 9), "晚": (18, 24), "夜": (21, 24),
}  # fmt: skip
_PART_WORDS = "|".join(sorted(_PART, key=len, reverse=True))
CLOCK = re.compile(
    rf"(?P<daypart>{_PART_WORDS})?(?:的)?(?:大概|大约|差不多|将近|快)?"
    rf"(?:(?P<hour>{_N})(?:点钟?|时(?=[0-9一二三四五六七八九十]))(?!建议|"
    rf"意见|要求|原因|问题|儿|小|困|心|钱|事|费|水|菜|都|也|没|不)"
    rf"(?P<minute>半|一刻|三刻|{_N}分?)?|(?P<hh>[01]?[0-9]|2[0-4])[:：](?P<mm>[0-5][0-9])"
    rf"(?![0-9]))?(?:多钟?|左右|来钟)?"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time from ``start`` (in) to ``end`` (out)."""

    start: datetime
    end: datetime


def clock_span(match: re.Match[str], day: datetime) -> Span | None:
    """The hours that a ``CLOCK`` match names on ``day`` (its midnight)."""
    part, hour = match["daypart"], match["hour"] or match["hh"]
    if not part and not hour:
        return None
    low, high = _PART.get(part or "", (0, 24))
    if not hour:
        return Span(day + timedelta(hours=low), day + timedelta(hours=high))
    either = _EITHER_HOUR.fullmatch(hour)
    number = value(either["first"] if either else hour)
    if number is None or number > 24:
        return None
    at = timedelta(hours=_of_day(int(number), part), minutes=_minutes(match))
    whole = match["minute"] is None and match["mm"] is None
    lasts = 119 if either else 59 if whole else 0
    return Span(day + at, day + at + timedelta(minutes=lasts))


_EITHER_HOUR = re.compile("(?P<first>[一两二三四五六七八九])[二两三四五六七八九]")


def _of_day(hour: int, part: str | None) -> int:
    """24-hour clock: 晚上八点 is 20, 半夜两点 2 of the next day."""
    if not part or hour > 12:
        return hour
    low, _ = _PART[part]
    if part in ("中午", "午后", "晌午", "大中午"):
        return hour + 12 if hour < 5 else hour
    if 12 <= low < 21:
        return 24 if hour == 12 and low >= 18 else hour % 12 + 12
    if low >= 21:
        return hour % 12 + (24 if hour == 12 or hour < 6 else 12)
    return 0 if part in ("凌晨", "后半夜", "下半夜") and hour == 12 else hour


def _minutes(match: re.Match[str]) -> int:
    spoken = match["minute"] or match["mm"] or "0"
    named = {"半": 30, "一刻": 15, "三刻": 45}.get(spoken)
    if named is not None:
        return named
    number = value(spoken.rstrip("分"))
    return int(number) if number is not None and number < 60 else 0
