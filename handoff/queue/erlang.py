"""Erlang-C: how long callers wait when calls come at random and nobody hangs up. Pure.

A. K. Erlang 1917; the formulas as in R. B. Cooper, Introduction to Queueing Theory (2nd ed. 1981),
section 3.3 to 3.5: Poisson arrivals at rate λ, exponential handling of mean h, N agents, load
a = λh (erlang), served in order of arrival.
"""

from __future__ import annotations

import math

_MOST_AGENTS = 10_000


def waiting_probability(load: float, agents: int) -> float:
    """The share of callers who have to wait, for ``load`` erlang; 1.0 where it only ever grows.

    Through Erlang-B's recursion, which neither overflows nor loses digits.
    """
    if load <= 0:
        return 0.0
    if agents <= load:
        return 1.0
    blocked = 1.0
    for count in range(1, agents + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / agents * (1 - blocked))


def service_level(load: float, agents: int, handling_s: float, within_s: float) -> float:
    """The share answered within ``within_s``: 1 - C(N, a) · exp(-(N - a) · t / h)."""
    if load <= 0:
        return 1.0
    if agents <= load:
        return 0.0
    waits = waiting_probability(load, agents)
    return 1 - waits * math.exp(-(agents - load) * within_s / handling_s)


def mean_wait_s(load: float, agents: int, handling_s: float) -> float:
    """The mean wait of all callers, s: C(N, a) · h / (N - a); infinite where it only ever grows."""
    if load <= 0:
        return 0.0
    if agents <= load:
        return math.inf
    return waiting_probability(load, agents) * handling_s / (agents - load)


def agents_needed(load: float, handling_s: float, within_s: float, share: float) -> int:
    """The fewest agents that answer ``share`` (0 to below 1) within ``within_s``.

    Raises ValueError for a share of 1 or more, and for a load that nobody can staff.
    """
    if not 0 <= share < 1 or load >= _MOST_AGENTS:
        raise ValueError("a share from 0 to below 1, a load that can be staffed")
    agents = max(1, math.floor(load) + 1)
    while service_level(load, agents, handling_s, within_s) < share:
        agents += 1
    return agents
