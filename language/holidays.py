"""When a holiday falls: the fixed ones by rule, those of the lunar calendar by jionlp."""

from __future__ import annotations

import contextlib
import io
from datetime import date, datetime, time
from functools import cache
from typing import Any

_FIXED = {
    "国庆": (10, 1, 7),
    "十一": (10, 1, 7),
    "五一": (5, 1, 5),
    "劳动节": (5, 1, 5),
    "元旦": (1, 1, 3),
}
_LUNAR = {
    "春节": ("春节", 8), "过年": ("春节", 8), "大年初一": ("春节", 1),
    "中秋": ("中秋节", 3), "端午": ("端午节", 3),
    "清明": ("清明节", 3), "除夕": ("除夕", 1), "年三十": ("除夕", 1),
    "元宵": ("元宵节", 1), "正月十五": ("元宵节", 1),
}  # fmt: skip


@cache
def _jionlp() -> Any:
    """The library, imported once (about 1 s); what it prints then is no business of ours."""
    with contextlib.redirect_stdout(io.StringIO()):
        import jionlp
    return jionlp


def warm() -> None:
    """Load what is slow to load, before a citizen waits for it."""
    holiday("春节", 2026)


_NTH = "一二三四五六七八九十"


@cache
def lunar_day(said: str, today: date) -> date | None:
    """The last day that was called ``said`` (初八) in the lunar calendar; None for no such day."""
    day = _NTH.find(said.removeprefix("初")) + 1
    if day == 0:
        return None
    try:
        year, month, now, _ = _jionlp().solar2lunar(datetime.combine(today, time()))
        if day > now:
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        found: datetime = _jionlp().lunar2solar(year, month, day, False)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None  # outside the years of its table
    return found.date()


@cache
def holiday(name: str, year: int) -> tuple[date, int] | None:
    """The first day of the holiday ``name`` in ``year`` and about how many days it lasts."""
    key = name.removesuffix("节") if name not in _FIXED and name != "春节" else name
    if key in _FIXED:
        month, day, days = _FIXED[key]
        return date(year, month, day), days
    if key not in _LUNAR:
        return None
    called, days = _LUNAR[key]
    try:
        found = _jionlp().parse_time(
            f"{year}年{called}", time_base={"year": year, "month": 1, "day": 1}
        )
        return date.fromisoformat(str(found["time"][0])[:10]), days
    except (ValueError, KeyError, TypeError, IndexError):
        return None  # outside the years of its lunar table
