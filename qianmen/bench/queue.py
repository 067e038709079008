"""The queue: a simulated day beside Erlang-C's forecast, and the real service under load."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from qianmen.bench.figures import Figure, Figures
from qianmen.bench.queueday import (
    Arrival,
    Day,
    Plan,
    Simulation,
    arrivals,
    forecast,
    simulate,
    staffing,
)
from qianmen.bench.queueload import LoadPlan, run_load
from qianmen.bench.queueservice import ServiceDay, fresh_database

SEEDS = 20
SERVICE_CALLS = 200
"""As many calls of the first seed go through the real service too."""
# Student's t for 95 %, by degrees of freedom; beyond 30 within a hundredth of the normal's 1.96.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def run_queue(
    plan: Plan, seeds: int = SEEDS, load: LoadPlan | None = None, database: str = ""
) -> Figures:
    """The day over ``seeds``, a part of it through the service, and ``load`` unless None.

    The load runs on SQLite in a folder that goes again, or on ``database``, which must be empty
    (its rows stay). The peer of the day is Erlang-C's forecast; of the load there is none that does
    the same work. Raises ``BenchError`` ``database_not_empty``.
    """
    days = [simulate(plan, seed) for seed in range(seeds)]
    figures = day_figures(plan, days)
    figures += service_figures(plan)
    if load is not None:
        figures += run_load(load, database)
    expected = Figure("Erlang-C forecast within goal", round(100 * forecast(plan), 2), "%")
    return Figures(figures, (expected,))


def day_figures(plan: Plan, days: Sequence[Day]) -> tuple[Figure, ...]:
    """The mean share answered within the goal, its 95 % interval, whether the forecast lies in it.

    Every seed counts alike, as the forecast weighs the hours of one day.
    """
    shares = [day.answered_within(plan.within_s) for day in days]
    mean, half = interval(shares)
    inside = abs(forecast(plan) - mean) <= half
    name = f"day answered in {plan.within_s:g} s"
    return (
        Figure("day seeds", len(days), ""),
        Figure("day calls", sum(len(day.waits) for day in days), ""),
        Figure("day agents at most", max(staffing(plan)), ""),
        Figure(name, round(100 * mean, 2), "%"),
        Figure(f"{name}, 95 % from", round(100 * (mean - half), 2), "%"),
        Figure(f"{name}, 95 % to", round(100 * (mean + half), 2), "%"),
        Figure("day forecast inside", int(inside), "", "1"),
        Figure("day offers doubled", sum(day.doubled for day in days), "", "0"),
        Figure("day calls lost", sum(day.lost for day in days), "", "0"),
    )


def service_figures(plan: Plan, most: int = SERVICE_CALLS) -> tuple[Figure, ...]:
    """``most`` of the first seed's morning calls through the database, beside the core alone."""
    calls = _morning(arrivals(plan, 0), most)
    core = Simulation(plan, calls).run()
    with fresh_database() as engine:
        day = ServiceDay(engine, plan, calls).run()
    differing = sum(a != b for a, b in zip(core.waits, day.waits, strict=False))
    differing += abs(len(core.waits) - len(day.waits))
    within = round(100 * day.answered_within(plan.within_s), 2)
    return (
        Figure("service calls", len(calls), ""),
        Figure(f"service answered in {plan.within_s:g} s", within, "%"),
        Figure("service waits unlike the core's", differing, "", "0"),
        Figure("service offers doubled", day.doubled, "", "0"),
        Figure("service calls lost", day.lost, "", "0"),
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval (Student's t); infinite of one value."""
    mean = statistics.fmean(values)
    freedom = len(values) - 1
    if freedom < 1:
        return mean, math.inf
    t = _T[freedom - 1] if freedom <= len(_T) else 1.96
    return mean, t * statistics.stdev(values) / math.sqrt(len(values))


def _morning(calls: tuple[Arrival, ...], most: int) -> tuple[Arrival, ...]:
    first = next((n for n, call in enumerate(calls) if call.at >= 9 * 3600), 0)
    return calls[first : first + most]
