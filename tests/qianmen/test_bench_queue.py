"""The bench of the queue: the simulated day, the same through the service, the load."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from qianmen.bench.queue import day_figures, interval, service_figures
from qianmen.bench.queueday import Arrival, Day, Plan, Simulation, arrivals, forecast, simulate
from qianmen.bench.queueday import staffing as agents_by_hour
from qianmen.bench.queueload import LoadPlan, run_load
from qianmen.bench.queueservice import BenchError
from tests.postgres import Cluster

FLAT = Plan(calls=2400, handling_s=180.0, hours=(1.0,) * 24)


def test_two_calls_and_one_agent_are_served_one_after_the_other() -> None:
    plan = Plan(calls=24, handling_s=60.0, share=0.01, hours=(1.0,) * 24)
    assert max(agents_by_hour(plan)) == 1
    day = Simulation(plan, (Arrival(10.0, 60.0), Arrival(20.0, 5.0), Arrival(500.0, 5.0))).run()
    assert day == Day((0.0, 50.0, 0.0), 0, 0)


def test_a_call_that_nobody_is_left_for_is_lost_and_counted() -> None:
    plan = replace(FLAT, hours=(1.0,))
    late = Simulation(plan, (Arrival(10.0, 5.0),) * 60)
    late._shift = lambda count: None  # type: ignore[method-assign]  # nobody comes to work
    assert late.run().lost == 60


def test_arrivals_follow_the_hours_and_the_seed() -> None:
    calls = arrivals(FLAT, 3)
    assert calls == arrivals(FLAT, 3) != arrivals(FLAT, 4)
    assert abs(len(calls) - 2400) < 5 * math.sqrt(2400)
    assert list(calls) == sorted(calls, key=lambda call: call.at)
    assert abs(sum(call.takes_s for call in calls) / len(calls) - 180) < 5 * 180 / math.sqrt(2400)


def test_the_core_serves_as_erlang_c_forecasts_where_hours_are_alike() -> None:
    shares = [simulate(FLAT, seed).answered_within(15) for seed in range(6)]
    mean, half = interval(shares)
    assert abs(mean - forecast(FLAT)) < max(half, 0.03)


def test_the_figures_say_whether_the_forecast_lies_inside() -> None:
    days = [Day((0.0, 100.0), 0, 0), Day((0.0, 0.0), 0, 1)]
    told = {figure.name: figure.value for figure in day_figures(FLAT, days)}
    assert (told["day answered in 15 s"], told["day calls lost"]) == (75.0, 1)
    assert told["day forecast inside"] == 1  # two days tell next to nothing: a wide interval
    surely = [Day((0.0,) * 4 + (100.0,) * 2, 0, 0), Day((0.0,) * 4 + (100.0,) * 2, 0, 0)]
    told = {figure.name: figure.value for figure in day_figures(FLAT, surely)}
    assert told["day forecast inside"] == 0


def test_one_value_has_no_interval() -> None:
    assert interval([0.5]) == (0.5, math.inf)
    mean, half = interval([1.0, 2.0, 3.0])
    assert (mean, round(half, 3)) == (2.0, 2.484)  # 4.303 · 1 / √3


def test_the_service_does_as_the_core_says() -> None:
    told = {figure.name: figure.value for figure in service_figures(FLAT, 25)}
    assert told["service calls"] == 25
    assert told["service waits unlike the core's"] == 0
    assert told["service offers doubled"] == told["service calls lost"] == 0


def test_the_load_loses_and_doubles_nothing(postgres: Cluster) -> None:
    url = postgres.upgraded("load")
    plan = LoadPlan(seconds=1.0, per_minute=600, agents=3, waiting=8)
    told = {figure.name: figure.value for figure in run_load(plan, url)}
    assert (told["load hand-overs"], told["load offers lost"], told["load offers doubled"]) == (
        10, 0, 0,
    )  # fmt: skip
    with pytest.raises(BenchError, match="空的"):
        run_load(plan, url)
