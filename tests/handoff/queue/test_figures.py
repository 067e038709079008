"""Erlang-C, the estimate and its words, what a citizen wishes, the rules' hours. Pure."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.city import load_city
from config.queue import QueueRules, Window
from config.yamlfile import read
from handoff.queue.erlang import agents_needed, mean_wait_s, service_level, waiting_probability
from handoff.queue.estimate import estimate_s, mean_handling_s, told
from handoff.queue.wish import Wish, wish
from tests.conftest import SAMPLE_CITY


def direct(load: float, agents: int) -> float:
    """Erlang-C by its sum, as textbooks write it."""
    top = load**agents / math.factorial(agents) * agents / (agents - load)
    return top / (sum(load**k / math.factorial(k) for k in range(agents)) + top)


@pytest.mark.parametrize(("load", "agents"), [(0.5, 1), (2.0, 3), (10.0, 14), (60.0, 66)])
def test_erlang_c_is_what_its_sum_says(load: float, agents: int) -> None:
    assert waiting_probability(load, agents) == pytest.approx(direct(load, agents), rel=1e-9)


def test_one_agent_is_the_queue_that_everybody_knows() -> None:
    # M/M/1: P(wait) = ρ, mean wait = ρ/(1 - ρ)·h, level = 1 - ρ·exp(-(1 - ρ)t/h)
    assert waiting_probability(0.8, 1) == pytest.approx(0.8)
    assert mean_wait_s(0.8, 1, 100) == pytest.approx(400)
    assert service_level(0.8, 1, 100, 50) == pytest.approx(1 - 0.8 * math.exp(-0.1))


def test_a_published_table_of_agents() -> None:
    # 10 erlang, 180 s a call, 80 % within 20 s: 14 agents, 88.8 % (the usual worked example)
    assert agents_needed(10.0, 180, 20, 0.8) == 14
    assert service_level(10.0, 14, 180, 20) == pytest.approx(0.888, abs=0.001)
    assert service_level(10.0, 13, 180, 20) < 0.8


def test_the_edges_of_erlang_c() -> None:
    assert (waiting_probability(0, 3), service_level(0, 0, 60, 1), mean_wait_s(0, 1, 9)) == (
        0,
        1,
        0,
    )
    assert (waiting_probability(3, 3), service_level(3, 3, 60, 1)) == (1, 0)
    assert mean_wait_s(3, 3, 60) == math.inf
    assert agents_needed(0, 60, 15, 0.8) == 1
    assert 0 < service_level(900.0, 905, 240, 15) < 1
    for load, share in ((1.0, 1.0), (1.0, -0.1), (1e6, 0.8)):
        with pytest.raises(ValueError, match="share"):
            agents_needed(load, 60, 15, share)


@given(st.floats(0.01, 200), st.integers(1, 250))
def test_more_agents_are_never_worse(load: float, agents: int) -> None:
    assert 0 <= waiting_probability(load, agents + 1) <= waiting_probability(load, agents) <= 1


@pytest.mark.parametrize(
    ("position", "agents", "free", "expected"),
    [(1, 0, 0, None), (1, 1, 0, 240), (3, 2, 0, 360), (1, 5, 1, 0), (3, 4, 1, 120)],
)
def test_the_wait_is_estimated(position: int, agents: int, free: int, expected: int | None) -> None:
    assert estimate_s(position, agents, free, 240.0) == expected


def test_experience_weighs_as_much_as_there_is_of_it() -> None:
    assert mean_handling_s([], 240) == 240
    assert mean_handling_s([120.0] * 10, 240) == 180


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "不到 1 分钟"), (59, "不到 1 分钟"), (61, "约 2 分钟"), (301, "约 8 分钟"),
     (1800, "约 30 分钟"), (1801, "超过 30 分钟"), (10**6, "超过 30 分钟")],
)  # fmt: skip
def test_a_wait_is_told_rounded_up(seconds: int | None, words: str) -> None:
    assert told(seconds) == words


def test_words_matter_and_department_wish_for_skills() -> None:
    rules = load_city(SAMPLE_CITY).queue

    def wished(*said: str, department: str = "", urgency: str = "normal", repeats: int = 0) -> Wish:
        return wish(said, matter="", department=department, urgency=urgency, repeats=repeats,
                    rules=rules)  # fmt: skip

    assert wished("我想转人工") == Wish((), 0)
    assert wished("我 听 不 懂 普通话").skills == ("方言",)
    assert wished("x", department="住房公积金管理中心").skills == ("公积金",)
    assert wished("我今年八十多岁了").priority == 20
    assert wished("x", urgency="urgent", repeats=2).priority == 40


MONDAY_9 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in the sample city


def test_hours_are_of_the_citys_week_and_none_is_always() -> None:
    rules = QueueRules(hours={"web": (Window.model_validate(
        {"days": [1], "begin": "09:00", "end": 1050}),)})  # fmt: skip
    assert rules.is_open("phone", MONDAY_9)
    assert rules.is_open("web", MONDAY_9)
    assert rules.is_open("web", MONDAY_9.replace(hour=9, minute=29))
    assert not rules.is_open("web", MONDAY_9.replace(hour=9, minute=30))  # 17:30, told as 1050
    assert not rules.is_open("web", MONDAY_9.replace(day=24))
    assert Window.model_validate({"end": 1440}) == Window()  # 24:00


def test_public_holidays_and_days_worked_instead_change_the_hours() -> None:
    week, weekend, monday = (
        {"days": days, "begin": "09:00", "end": "17:00"} for days in ([1, 2, 3, 4, 5], [6, 7], [1])
    )
    rules = QueueRules.model_validate({
        "hours": {"web": [week], "late": [weekend], "once": [monday], "always": [{}]},
        "calendar": {"days_off": [date(2026, 11, 24)], "working": [date(2026, 11, 28)]},
    })  # fmt: skip

    def served(month: int, day: int, hour: int = 2) -> set[str]:
        at = datetime(2026, month, day, hour, tzinfo=UTC)
        return {name for name in rules.hours if rules.is_open(name, at)}

    assert served(10, 1) == {"late", "always"}  # Thursday, the National Day
    assert served(10, 10) == {"web", "always"}  # Saturday, worked instead (国务院办公厅, 2026)
    assert served(11, 24) == {"late", "always"}  # the city's own day off, a Tuesday
    assert served(11, 28) == {"web", "always"}  # and the Saturday it works instead
    assert served(11, 23) == {"web", "once", "always"}
    assert served(11, 29) == {"late", "always"}
    night = rules.model_copy(update={"hours": {"web": (Window.model_validate(
        {"days": [1, 2, 3, 4, 5], "begin": "22:00", "end": "06:00"}),)}})  # fmt: skip
    assert night.is_open("web", datetime(2026, 9, 30, 21, 0, tzinfo=UTC))  # 05:00 on October 1st
    assert not night.is_open("web", datetime(2026, 10, 1, 15, 0, tzinfo=UTC))  # 23:00 then


def test_beyond_the_announced_years_the_week_counts() -> None:
    rules = QueueRules.model_validate({"hours": {"web": [{"days": [1, 2, 3, 4, 5]}]}})
    assert rules.is_open("web", datetime(2099, 9, 4, 2, 0, tzinfo=UTC))  # a Friday
    assert not rules.is_open("web", datetime(2099, 9, 5, 2, 0, tzinfo=UTC))
    assert not rules.is_open("web", datetime(2099, 10, 1, 2, 0, tzinfo=UTC))  # a Thursday


def test_a_night_shift_belongs_to_the_day_it_begins() -> None:
    rules = QueueRules(hours={"web": (Window.model_validate(
        {"days": [1], "begin": "22:00", "end": "06:00"}),)})  # fmt: skip
    assert rules.is_open("web", datetime(2026, 11, 23, 21, 0, tzinfo=UTC))  # Tuesday 05:00
    assert not rules.is_open("web", datetime(2026, 11, 22, 21, 0, tzinfo=UTC))  # Monday 05:00
    assert rules.is_open("web", datetime(2026, 11, 23, 14, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "wrong",
    [
        {"offer_s": 0}, {"offr_s": 5}, {"vanish_s": 100, "sign_off_s": 50},
        {"skills": [{"name": "a"}, {"name": "a"}]}, {"results": []},
        {"results": [{"code": "Ä", "label": "x"}]}, {"hours": {"web": [{"days": [8]}]}},
        {"hours": {"web": [{"begin": 1441}]}}, {"announcements": {"hold": "../x.wav"}},
        {"results": [{"code": "a", "label": "x"}, {"code": "a", "label": "y"}]},
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QueueRules.model_validate(wrong)


def test_a_city_without_the_file_has_the_usual_rules(tmp_path: Path) -> None:
    for file in SAMPLE_CITY.glob("*.yaml"):
        if file.name != "queue.yaml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load_city(tmp_path).queue == QueueRules()
    shipped = read(SAMPLE_CITY / "queue.yaml", QueueRules)
    usual = QueueRules()
    assert (shipped.results, shipped.canned) == (usual.results, usual.canned)
    assert (shipped.offer_s, shipped.callbacks) == (usual.offer_s, usual.callbacks)
    assert usual.result_label("answered") == "已解答"
    assert usual.result_label("other") == "other"
