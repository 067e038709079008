"""A hotline's day in virtual time, through the queue's own core: who is answered when. Pure.

Calls come at random (Poisson) at a rate that changes by the hour, take exponentially long, and are
taken at once by whoever the core offers them to: the assumptions of Erlang-C, so that its forecast
and the queue can be held against each other.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from config.queue import PHONE, QueueRules
from handoff.queue.assign import assign
from handoff.queue.erlang import agents_needed, service_level
from handoff.queue.model import Entry, Seat

HOURS = 24
SHARES = (
    0.8, 0.6, 0.5, 0.4, 0.5, 0.8, 1.8, 4.0, 7.4, 9.0, 8.6, 6.6,
    4.6, 5.0, 7.2, 7.8, 7.2, 5.8, 4.6, 4.2, 4.0, 3.6, 2.9, 2.1,
)  # fmt: skip
"""Percent of a day's calls in each hour: office hours twice as high as the evening, nights almost
still. Made up in the shape that hotlines report; a city's own is what counts."""
_MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
_FAR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Plan:
    """A day: how many calls, how long one takes (wrap-up included, s), and what is promised."""

    calls: int = 4000
    handling_s: float = 240.0
    within_s: float = 15.0
    share: float = 0.8
    hours: tuple[float, ...] = SHARES


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call: seconds since midnight, and how long it will take."""

    at: float
    takes_s: float


@dataclass(frozen=True, slots=True)
class Day:
    """What came of it: the wait of every call answered, s; ``doubled`` offers, ``lost`` calls."""

    waits: tuple[float, ...]
    doubled: int
    lost: int

    def answered_within(self, seconds: float) -> float:
        """The share answered within ``seconds``; nan of none."""
        return sum(wait <= seconds for wait in self.waits) / len(self.waits or (0,))


def loads(plan: Plan) -> tuple[float, ...]:
    """Erlang by the hour."""
    whole = sum(plan.hours)
    return tuple(plan.calls * part / whole / 3600 * plan.handling_s for part in plan.hours)


def staffing(plan: Plan) -> tuple[int, ...]:
    """Agents by the hour, as Erlang-C wants them."""
    return tuple(
        agents_needed(load, plan.handling_s, plan.within_s, plan.share) for load in loads(plan)
    )


def forecast(plan: Plan) -> float:
    """The share of the day's calls that Erlang-C expects within the promised time."""
    pairs = zip(loads(plan), staffing(plan), strict=True)
    kept = [
        load * service_level(load, agents, plan.handling_s, plan.within_s) for load, agents in pairs
    ]
    return sum(kept) / sum(loads(plan))


def arrivals(plan: Plan, seed: int) -> tuple[Arrival, ...]:
    """A day's calls, in order."""
    dice = np.random.default_rng(seed)
    whole = sum(plan.hours)
    found: list[Arrival] = []
    for hour, part in enumerate(plan.hours):
        count = int(dice.poisson(plan.calls * part / whole))
        times = np.sort(dice.uniform(hour * 3600, (hour + 1) * 3600, count))
        takes = dice.exponential(plan.handling_s, count)
        found += [Arrival(float(at), float(s)) for at, s in zip(times, takes, strict=True)]
    return tuple(found)


def simulate(plan: Plan, seed: int) -> Day:
    """One day through :func:`handoff.queue.assign.assign`."""
    return Simulation(plan, arrivals(plan, seed)).run()


class Simulation:
    """Calls and shifts as events on one time line; the core decides who takes whom."""

    def __init__(self, plan: Plan, calls: tuple[Arrival, ...]) -> None:
        self._calls = calls
        self._rules = QueueRules(sign_off_s=86_400)
        staff = staffing(plan)
        self._seats = {name: _seat(name) for name in map(_login, range(max(staff)))}
        self._events: list[tuple[float, int, str]] = [
            (hour * 3600.0, -1, str(count)) for hour, count in enumerate(staff)
        ]
        self._events += [(call.at, index, "") for index, call in enumerate(calls)]
        heapq.heapify(self._events)
        self._waiting: dict[str, Entry] = {}
        self._taken: set[str] = set()
        self._waits: list[float] = []
        self._doubled = 0

    def run(self) -> Day:
        """Until the last call is answered (or nobody is there to)."""
        while self._events:
            at, index, word = heapq.heappop(self._events)
            if index < 0:
                self._shift(int(word))
            elif word:
                self._release(word, at)
            else:
                self._arrive(index, at)
            self._dispatch(at)
        return Day(tuple(self._waits), self._doubled, len(self._calls) - len(self._waits))

    def _shift(self, count: int) -> None:
        """``count`` agents are on duty; whoever goes finishes the talk they have."""
        for number, (name, seat) in enumerate(self._seats.items()):
            self._seats[name] = replace(seat, status="online" if number < count else "busy")

    def _release(self, agent: str, at: float) -> None:
        self._seats[agent] = replace(self._seats[agent], calls=0, idle_since=moment(at))

    def _arrive(self, index: int, at: float) -> None:
        when = moment(at)
        self._waiting[str(index)] = Entry(
            handoff=str(index), conversation="", order="", channel=PHONE, reason="asked",
            urgency="normal", state="waiting", created_at=when, changed_at=when,
        )  # fmt: skip

    def _dispatch(self, at: float) -> None:
        entries, seats = list(self._waiting.values()), list(self._seats.values())
        for match in assign(entries, seats, self._rules, moment(at)):
            name = match.entry.handoff
            self._doubled += name in self._taken or self._seats[match.agent].calls > 0
            self._taken.add(name)
            del self._waiting[name]
            call = self._calls[int(name)]
            self._waits.append(at - call.at)
            self._seats[match.agent] = replace(self._seats[match.agent], calls=1)
            heapq.heappush(self._events, (at + call.takes_s, len(self._calls), match.agent))


def moment(at: float) -> datetime:
    """Seconds since the simulated midnight, as a moment."""
    return _MIDNIGHT + timedelta(seconds=at)


def _login(number: int) -> str:
    return f"a{number:04d}"


def _seat(name: str) -> Seat:
    return Seat(name, name, "busy", _MIDNIGHT, _MIDNIGHT + _FAR, _MIDNIGHT)
