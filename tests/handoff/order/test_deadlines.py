"""Deadlines in minutes and in working days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from config.orders import Calendar, Limit, OrderRules, Span
from config.workdays import announced, is_workday
from handoff.order.deadlines import (
    after,
    due_by,
)

RULES = OrderRules()


def local(month: int, day: int, hour: int = 12, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=RULES.zone)


@pytest.mark.parametrize(
    ("start", "workdays", "end"),
    [
        (local(11, 20), 1, local(11, 23, 18)),  # Friday → Monday
        (local(11, 20, 23, 59), 1, local(11, 23, 18)),  # the day it begins does not count
        (local(11, 21), 1, local(11, 23, 18)),  # Saturday
        (local(9, 30), 1, local(10, 8, 18)),  # over the National Day holidays
        (local(9, 30), 2, local(10, 9, 18)),
        (local(10, 9), 1, local(10, 10, 18)),  # a Saturday that is worked (调休)
        (local(2, 13), 1, local(2, 14, 18)),  # the Saturday before Spring Festival is worked
        (local(2, 14), 1, local(2, 24, 18)),
        (local(12, 31), 1, local(1, 4, 18, year=2027)),  # beyond what is announced: Mon to Fri
        (local(9, 30, year=2030), 1, local(10, 4, 18, year=2030)),  # fixed holidays hold always
    ],
)
def test_working_days(start: datetime, workdays: int, end: datetime) -> None:
    assert after(start, Span(workdays=workdays), RULES) == end


def test_minutes_run_by_the_clock() -> None:
    start = datetime(2026, 10, 1, 16, 50, tzinfo=UTC)
    assert after(start, Span(minutes=15), RULES) == datetime(2026, 10, 1, 17, 5, tzinfo=UTC)


def test_the_city_has_days_of_its_own() -> None:
    calendar = Calendar(days_off=(date(2026, 11, 23),), working=(date(2026, 11, 21),))
    assert not is_workday(date(2026, 11, 23), calendar)
    assert is_workday(date(2026, 11, 21), calendar)
    rules = OrderRules(calendar=calendar)
    assert after(local(11, 21), Span(workdays=1), rules) == local(11, 24, 18)


def test_a_year_full_of_days_off_ends() -> None:
    days = tuple(date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(800))
    rules = OrderRules(calendar=Calendar(days_off=days))
    assert after(local(1, 1), Span(workdays=1), rules) > local(1, 1)


def test_the_announced_years_are_known() -> None:
    assert {2024, 2025, 2026} <= announced()


def test_the_first_row_that_fits_decides_for_each_deadline() -> None:
    rules = OrderRules(limits=(
        Limit(urgency=("danger",), sign=Span(minutes=15)),
        Limit(departments=("水务局",), sign=Span(minutes=30), dispatch=Span(minutes=120)),
        Limit(kinds=("咨询",), answer=Span(workdays=1)),
        Limit(answer=Span(workdays=5)),
    ))  # fmt: skip
    start = local(11, 20)
    assert due_by("dispatch", "danger", "求助", "水务局", start, rules) == local(11, 20, 14)
    assert due_by("answer", "danger", "求助", "水务局", start, rules) == local(11, 27, 18)
    assert due_by("answer", "normal", "咨询", "", start, rules) == local(11, 23, 18)
    assert due_by("dispatch", "normal", "咨询", "", start, rules) is None
    assert due_by("sign", "danger", "求助", "水务局", start, rules) == local(11, 20, 12, 15)
    assert due_by("sign", "normal", "求助", "水务局", start, rules) == local(11, 20, 12, 30)
    assert due_by("sign", "normal", "求助", "公安局", start, rules) is None
