"""响应率, 解决率, 满意率 with their denominators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from config.orders import OrderRules, Unreached
from handoff.order import deeds
from handoff.order.rates import Rate, Visited, rates, visits_of
from store.engine import reading
from store.tables import WorkOrder

VISITS = (
    Visited(reached=True, in_time=True, solved=True, score="satisfied"),
    Visited(reached=True, in_time=True, solved=True, score="fair"),
    Visited(reached=True, in_time=False, solved=False, score="dissatisfied"),
    Visited(reached=True, in_time=True),  # reached, and told nothing
    Visited(reached=False, in_time=True),
    Visited(reached=False, in_time=False),
)


@pytest.mark.parametrize(
    ("unreached", "solved", "satisfied"),
    [
        ("left_out", Rate(2, 3), Rate(2, 3)),
        ("unsatisfied", Rate(2, 5), Rate(2, 5)),
        ("satisfied", Rate(4, 5), Rate(4, 5)),
    ],
)
def test_the_unreached_count_as_the_city_says(
    unreached: Unreached, solved: Rate, satisfied: Rate
) -> None:
    found = rates(VISITS, unreached)
    assert (found.solved, found.satisfied) == (solved, satisfied)
    assert found.responded == Rate(4, 6)
    assert (found.visited, found.unreached) == (6, 2)


def test_nothing_visited_has_no_share() -> None:
    assert rates(()).satisfied.share is None
    assert Rate(1, 4).share == 0.25


def test_the_last_visit_of_an_order_counts(
    engine: Engine, made: Callable[[str], str], now: datetime, rules: OrderRules
) -> None:
    first, second = made("a"), made("b")
    for number in (first, second):
        deeds.do(engine, number, "answer", by="wang", now=now, rules=rules, text="已修好")
        deeds.do(engine, number, "visit", by="wang", now=now, rules=rules, reached=False)
    deeds.do(engine, first, "visit", by="wang", now=now + timedelta(days=1), rules=rules,
             reached=True, solved=True, score="fair")  # fmt: skip
    with reading(engine) as session:
        found = sorted(visits_of(session), key=lambda visit: visit.reached)
        one = visits_of(session, WorkOrder.number == first)
    assert found == [Visited(False, True), Visited(True, True, True, "fair")]
    assert one == (Visited(True, True, True, "fair"),)
