"""Deadlines in minutes and in working days of the State Council's calendar. Pure.

A deadline in working days does not count the day it begins and runs until the offices close on its
last day (民法典 Art. 201 and 203). Which days those are: ``config.workdays``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from config.orders import Limit, OrderRules, Span
from config.workdays import is_workday

Deed = Literal["dispatch", "sign", "answer"]
"""What has a deadline."""
_ONE_DAY = timedelta(days=1)


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
