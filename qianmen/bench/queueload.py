"""The queue under load: 200 agents, 500 waiting, 50 hand-overs a minute, over the real service.

As in operation two web processes look for what is due; both are woken by every change. Agents
answer the moment they are offered somebody, so that only the queue is measured.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any

from sqlalchemy import Engine, func, select

from config.queue import QueueRules
from handoff.queue import service
from qianmen.bench.figures import Figure, spread
from qianmen.bench.queueservice import arrive, fresh_database, hire
from store.engine import open_engine, reading, writing
from store.tables import HandoffEntry, OrderEvent

LOAD_RULES = QueueRules(wrapup_call_s=0, vanish_s=60)
GOAL_P95_MS = 500
_BEAT_S = 4.0
_PATIENCE_S = 1.0
_GIVEN_UP_S = 10.0
_Found = tuple[float, float, float, tuple[tuple[str, str, str], ...]]


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """``per_minute`` hand-overs for ``seconds``."""

    seconds: float = 60.0
    per_minute: int = 50
    agents: int = 200
    waiting: int = 500
    dispatchers: int = 2


@dataclass(slots=True)
class Loaded:
    """What was measured, ms: a dispatch that offered somebody (and the processor time it took, that
    of whatever else runs apart), and from an agent's being free to the offer.
    """

    dispatch_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    offered_ms: list[float] = field(default_factory=list)
    entered: int = 0
    lost: int = 0
    doubled: int = 0


def run_load(plan: LoadPlan, url: str = "") -> tuple[Figure, ...]:
    """The figures; on SQLite in a folder that goes again, or on the empty database of ``url``."""
    with fresh_database(url) as engine:
        logins = [f"a{number:04d}" for number in range(plan.agents)]
        _open(engine, plan, logins)
        address = engine.url.render_as_string(hide_password=False)
        with _dispatchers(address, logins, plan) as (wakes, found):
            done = _Load(engine, plan, logins, wakes, found).run()
        _check(engine, plan, done)
    return _figures(plan, done)


def _figures(plan: LoadPlan, done: Loaded) -> tuple[Figure, ...]:
    goal = {95: f"≤ {GOAL_P95_MS}"}
    return (
        Figure("load agents", plan.agents, ""),
        Figure("load waiting", plan.waiting, ""),
        Figure("load hand-overs", done.entered, ""),
        *spread("load dispatch", done.dispatch_ms, (50, 95), goal),
        *spread("load dispatch processor", done.cpu_ms, (50, 95)),
        *spread("load agent free to offer", done.offered_ms, (50, 95), goal),
        Figure("load offers lost", done.lost, "", "0"),
        Figure("load offers doubled", done.doubled, "", "0"),
    )


def _open(engine: Engine, plan: LoadPlan, logins: list[str]) -> None:
    """Everybody talks, and the others wait."""
    now = datetime.now(UTC)
    hire(engine, logins, now)
    for login in logins:
        service.set_status(engine, login, "online", now, LOAD_RULES)
    _enter(engine, [f"first{number}" for number in range(plan.agents)], now)
    for change in service.dispatch(engine, LOAD_RULES, now):
        _answer(engine, change.handoff, change.agent, now)
    _enter(engine, [f"wait{number}" for number in range(plan.waiting)], now)


def _enter(engine: Engine, names: list[str], now: datetime) -> None:
    with writing(engine) as session:
        for name in names:
            arrive(session, name, now, LOAD_RULES)


def _answer(engine: Engine, handoff: str, agent: str, now: datetime) -> None:
    with reading(engine) as session:
        offer = session.get_one(HandoffEntry, handoff).offer
    service.accept(engine, offer, agent, now, LOAD_RULES)
    service.connected(engine, handoff, now)


class _Load:
    """Citizens come and agents get free at the rate asked for."""

    def __init__(
        self, engine: Engine, plan: LoadPlan, logins: list[str], wakes: list[Event],
        found: Queue[_Found],
    ) -> None:  # fmt: skip
        self._engine, self._plan, self._wakes, self._found = engine, plan, wakes, found
        self._logins = random.Random(1).choices(logins, k=10_000)  # noqa: S311  # whose talk ends next
        self._done = Loaded()
        self._freed: dict[str, float] = {}

    def run(self) -> Loaded:
        """For the plan's time; then whoever is still without an offer is lost."""
        begun, step = time.perf_counter(), 60.0 / self._plan.per_minute
        for turn in range(int(self._plan.seconds / step)):
            self._listen(begun + turn * step)
            self._hand_over(turn)
        until = time.perf_counter() + _GIVEN_UP_S
        while self._freed and time.perf_counter() < until:
            self._listen(time.perf_counter() + 0.1)
        self._done.lost += len(self._freed)
        return self._done

    def _hand_over(self, turn: int) -> None:
        now = datetime.now(UTC)
        _enter(self._engine, [f"new{turn}"], now)
        self._done.entered += 1
        login = self._logins[turn]
        mine = service.desk_of(self._engine, login, now, LOAD_RULES).mine
        if mine:
            service.finish(self._engine, mine[0].handoff, login, "answered", "", now, LOAD_RULES)
            self._freed[login] = time.perf_counter()
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    def _listen(self, until: float) -> None:
        """Take in what the dispatchers did, and let agents answer."""
        while (left := until - time.perf_counter()) > 0:
            try:
                began, ended, cpu_s, changes = self._found.get(timeout=left)
            except Exception:  # noqa: BLE001  # queue.Empty, of whichever flavour: nothing came
                return
            offered = [change for change in changes if change[0] == "offered"]
            if offered:
                self._done.dispatch_ms.append((ended - began) * 1000)
                self._done.cpu_ms.append(cpu_s * 1000)
            for _, handoff, agent in offered:
                freed = self._freed.pop(agent, None)
                if freed is not None:
                    self._done.offered_ms.append((ended - freed) * 1000)
                _answer(self._engine, handoff, agent, datetime.now(UTC))
            if changes:
                self._wake()


@contextmanager
def _dispatchers(
    url: str, logins: list[str], plan: LoadPlan
) -> Iterator[tuple[list[Event], Queue[_Found]]]:
    """Processes that look for what is due, as the web processes do."""
    context = multiprocessing.get_context("spawn")
    found: Queue[_Found] = context.Queue()
    stop = context.Event()
    wakes = [context.Event() for _ in range(plan.dispatchers)]
    processes: list[BaseProcess] = [
        context.Process(
            target=_dispatch_until, args=(url, wake, stop, found, logins[n :: plan.dispatchers])
        )
        for n, wake in enumerate(wakes)
    ]
    for process in processes:
        process.start()
    found.get(timeout=60)  # the first round of one of them: they are there
    try:
        yield wakes, found
    finally:
        stop.set()
        for wake in wakes:
            wake.set()
        for process in processes:
            process.join(30)


def _dispatch_until(url: str, wake: Any, stop: Any, found: Any, logins: list[str]) -> None:
    engine = open_engine(url)
    beat = 0.0
    while not stop.is_set():
        if time.perf_counter() - beat > _BEAT_S:
            beat = time.perf_counter()
            service.seen(engine, logins, datetime.now(UTC))
        began, cpu = time.perf_counter(), time.process_time()
        changes = service.dispatch(engine, LOAD_RULES, datetime.now(UTC))
        ended = time.perf_counter()
        spent = time.process_time() - cpu
        found.put((began, ended, spent, tuple((c.kind, c.handoff, c.agent) for c in changes)))
        wake.wait(_PATIENCE_S)
        wake.clear()
    engine.dispose()


def _check(engine: Engine, plan: LoadPlan, done: Loaded) -> None:
    """Nobody is gone, nobody has two, nothing was accepted twice."""
    with reading(engine) as session:
        held = Counter(
            session.scalars(
                select(HandoffEntry.agent).where(
                    HandoffEntry.state.in_(("offered", "accepted", "connected"))
                )
            )
        )
        rows = session.scalar(select(func.count()).select_from(HandoffEntry)) or 0
        accepted = Counter(
            session.scalars(select(OrderEvent.order_id).where(OrderEvent.event == "taken"))
        )
    done.doubled += sum(count > 1 for count in held.values())
    done.doubled += sum(count > 1 for count in accepted.values())
    done.lost += plan.agents + plan.waiting + done.entered - rows
