"""Which days are worked: the State Council's calendar and the city's own list. Pure.

Days off and make-up days (调休) come from ``chinese_calendar``, which knows the years that the
State Council has announced. Beyond them Monday to Friday count as working days, but for the
statutory holidays of fixed date (全国年节及纪念日放假办法, 2025): :func:`announced` tells which
years are known.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import chinese_calendar
from chinese_calendar import constants

from config.orders import Calendar

SUNDAY = 7
MADE_UP = 0
"""A Saturday or Sunday that is worked in place of another day: no day of the week's own."""
_SATURDAY = 5  # of date.weekday()
_ALWAYS_OFF = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


@cache
def announced() -> frozenset[int]:
    """The years whose days off are known."""
    days = {*constants.holidays, *constants.workdays}
    return frozenset(day.year for day in days)


def is_workday(day: date, calendar: Calendar) -> bool:
    """Whether the city's offices work that day; the city's own list goes first."""
    if day in calendar.working:
        return True
    if day in calendar.days_off:
        return False
    if day.year in announced():
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY and (day.month, day.day) not in _ALWAYS_OFF


def served_as(day: date, calendar: Calendar) -> int:
    """1 (Monday) to 7 as offices live the day: a day off in the week is a Sunday, a Saturday or
    Sunday that is worked is :data:`MADE_UP`.
    """
    weekend = day.weekday() >= _SATURDAY
    if is_workday(day, calendar):
        return MADE_UP if weekend else day.isoweekday()
    return day.isoweekday() if weekend else SUNDAY
