"""What is due, decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.retention import Retention
from qianmen.keeper.rules import (
    OrderFacts,
    TalkFacts,
    is_held,
    orders_due,
    recordings_due,
    transcripts_due,
)

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
RULES = Retention(recordings_days=180, transcripts_days=365, orders_days=3650)
STATES = ("受理", "派单", "办结", "归档")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_each_goes_at_its_own_time() -> None:
    talks = [
        TalkFacts("young", True, ago(179), recordings=("r1",)),
        TalkFacts("middle", True, ago(181), recordings=("r2", "r3")),
        TalkFacts("old", True, ago(366), recordings=("r4",)),
        TalkFacts("emptied", True, ago(400), erased=True),
    ]
    assert recordings_due(RULES, NOW, talks) == ("r2", "r3", "r4")
    assert transcripts_due(RULES, NOW, talks) == ("old",)


def test_the_last_day_is_kept_whole() -> None:
    assert transcripts_due(RULES, NOW, [TalkFacts("c", True, ago(365))]) == ()
    assert transcripts_due(RULES, NOW, [TalkFacts("c", True, ago(365.001))]) == ("c",)


@pytest.mark.parametrize(
    "held",
    [
        TalkFacts("c", True, ago(9999), orders=("办结", "受理"), recordings=("r",)),
        TalkFacts("c", True, ago(9999), waiting=True, recordings=("r",)),
        TalkFacts("c", True, ago(9999), orders=("重办",), recordings=("r",)),
    ],
)
def test_an_open_order_or_an_unanswered_citizen_holds_everything(held: TalkFacts) -> None:
    assert is_held(held, RULES)
    assert recordings_due(RULES, NOW, [held]) == ()
    assert transcripts_due(RULES, NOW, [held]) == ()


def test_a_chat_that_nobody_ended_is_over_when_it_is_quiet() -> None:
    rules = Retention(recordings_days=1, transcripts_days=1)
    assert transcripts_due(rules, NOW, [TalkFacts("c", False, ago(1.1))]) == ("c",)
    assert transcripts_due(rules, NOW, [TalkFacts("c", False, ago(0.9))]) == ()


def test_orders_closed_long_ago() -> None:
    orders = [
        OrderFacts("due", "归档", ago(3651)),
        OrderFacts("open", "办理", ago(9999)),
        OrderFacts("waiting", "办结", ago(9999), waiting=True),
        OrderFacts("touched", "办结", ago(1)),
        OrderFacts("done", "办结", ago(9999), erased=True),
    ]
    assert orders_due(RULES, NOW, orders) == ("due",)
    assert orders_due(Retention(orders_days=None), NOW, orders) == ()


@given(
    age=st.floats(0, 20_000),
    ended=st.booleans(),
    waiting=st.booleans(),
    orders=st.lists(st.sampled_from(STATES), max_size=3),
)
def test_nothing_young_and_nothing_held_is_ever_due(
    age: float, ended: bool, waiting: bool, orders: list[str]
) -> None:
    talk = TalkFacts("c", ended, ago(age), tuple(orders), waiting, recordings=("r",))
    if recordings_due(RULES, NOW, [talk]):
        assert age > 180
        assert not waiting
        assert set(orders) <= {"办结", "归档"}
    if transcripts_due(RULES, NOW, [talk]):
        assert age > 365
        assert recordings_due(RULES, NOW, [talk])


@pytest.mark.parametrize("wrong", [{"logs_days": 183}, {"audit_days": 30}, {"recordings_days": 0}])
def test_less_than_the_law_asks_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="greater than or equal"):
        Retention(**wrong)  # type: ignore[arg-type]  # that is the point
