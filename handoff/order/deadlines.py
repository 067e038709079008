"""Deadlines in minutes and in working days of the State Council's calendar. Pure.

A deadline in working days does not count the day it begins and runs until the offices close on its
last day (民法典 Art. 201 and 203). Days off and make-up days (调休) come from ``chinese_calendar``,
which knows the years that the State Council has announced, and from the city's own list. Beyond the
announced years Monday to Friday count as working days, but for the statutory holidays of fixed
date (全国年节及纪念日放假办法, 2025): :func:`announced` tells which years are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Literal

import chinese_calendar
from chinese_calendar import constants

from config.orders import Calendar, Limit, OrderRules, Span

Deed = Literal["dispatch", "sign", "answer"]
"""What has a deadline."""
_SATURDAY = 5
_ONE_DAY = timedelta(days=1)
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


def after(start: datetime, span: Span, rules: OrderRules) -> datetime:
    """The moment ``span`` after ``start`` (aware), in the city's zone."""
    start = start.astimezone(rules.zone)
    if span.minutes is not None:
        return start + timedelta(minutes=span.minutes)
    day, left = start.date(), span.workdays or 0
    limit = day + timedelta(days=366 + 10 * left)  # a list of days off that never ends
    while left and day < limit:
        day += _ONE_DAY
        left -= is_workday(day, rules.calendar)
    return datetime.combine(day, rules.calendar.day_ends, rules.zone)


def before(moment: datetime, span: Span, rules: OrderRules, now: datetime) -> bool:
    """Whether ``now`` is not yet ``span`` after ``moment``."""
    return now <= after(moment, span, rules)


def due_by(
    deed: Deed, urgency: str, kind: str, department: str, since: datetime, rules: OrderRules
) -> datetime | None:
    """By when ``deed`` must be done; None where the city sets no limit.

    ``since`` is acceptance, for ``sign`` the dispatch.
    """
    fitting = (getattr(limit, deed) for limit in _fitting(urgency, kind, department, rules))
    span = next((span for span in fitting if span is not None), None)
    return after(since, span, rules) if span is not None else None


def _fitting(urgency: str, kind: str, department: str, rules: OrderRules) -> Iterator[Limit]:
    return (
        limit
        for limit in rules.limits
        if (not limit.urgency or urgency in limit.urgency)
        and (not limit.kinds or kind in limit.kinds)
        and (not limit.departments or department in limit.departments)
    )
