"""What all walls of one process share: figures counted once a second at most, while somebody looks.

The bus wakes it; what happened by day is counted anew each minute, days that are over more rarely.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from bot.bus import Watch
from store.faults import fault_of
from telephony.commands import Calls, ControlError
from web.wall.days import Day, bounds, by_day, count_day, summed
from web.wall.hot import class_names, hot_classes, hot_places
from web.wall.live import now_figures

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from web.site import Site

KEYS = ("#queue", "#wall")
PERIODS = (7, 30)
AT_MOST_EVERY_S = 1.0
TODAY_EVERY = timedelta(seconds=5)
PERIOD_EVERY = timedelta(seconds=60)
OVER_EVERY = timedelta(minutes=10)
_log = structlog.get_logger(__name__)


@runtime_checkable
class KnowsCalls(Protocol):
    """The telephones, as far as the wall needs them."""

    async def calls(self) -> Calls:
        """Every call under way; raises ``ControlError``."""


class Feed:
    """The figures of one process; ``looking`` runs the counting while somebody is inside."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._viewers = 0
        self._task: asyncio.Task[None] | None = None
        self._latest: dict[str, Any] = {}
        self._changed = asyncio.Condition()
        self._turn = 0
        self._days: dict[date, tuple[datetime, Day]] = {}
        self._periods: dict[int, tuple[datetime, dict[str, Any]]] = {}

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Somebody looks: count, until the last has gone."""
        self._viewers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._viewers -= 1
            if not self._viewers and self._task is not None:
                task, self._task = self._task, None
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def next(self, seen: int) -> tuple[int, dict[str, Any]]:
        """The figures after those numbered ``seen``, and their number."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._turn > seen)
            return self._turn, self._latest

    async def figures(self) -> dict[str, Any]:
        """The live figures as they stand, counted now."""
        calls = await self._calls()
        site, now = self._site, self._site.now()
        found = await run_in_threadpool(now_figures, site.engine, site.city, now, calls)
        found["today"] = await run_in_threadpool(self._today, now)
        return found

    async def period(self, days: int) -> dict[str, Any]:
        """The last ``days`` days, counted within the last minute."""
        now = self._site.now()
        kept = self._periods.get(days)
        if kept is None or abs(now - kept[0]) >= PERIOD_EVERY:
            kept = (now, await run_in_threadpool(self._count_period, days, now))
            self._periods[days] = kept
        return kept[1]

    async def _run(self) -> None:
        news = Watch()
        bus = self._site.floor.parts.bus
        with contextlib.ExitStack() as stack:
            for key in KEYS:
                stack.enter_context(bus.watch(key, news))
            while True:
                began = asyncio.get_running_loop().time()
                await self._count()
                await news.wait()  # a second at most: time passes for who waits, too
                spent = asyncio.get_running_loop().time() - began
                await asyncio.sleep(max(0.0, AT_MOST_EVERY_S - spent))

    async def _count(self) -> None:
        try:
            found = await self.figures()
        except SQLAlchemyError as error:
            _log.error("wall_failed", code="store_down", fault=fault_of(error))
            return
        async with self._changed:
            self._latest, self._turn = found, self._turn + 1
            self._changed.notify_all()

    async def _calls(self) -> Any:
        control: object = self._site.floor.parts.control
        if not isinstance(control, KnowsCalls):
            return None
        try:
            return (await control.calls()).calls
        except ControlError:
            return None

    def _today(self, now: datetime) -> dict[str, Any]:
        return summed([self._day(now.astimezone(self._site.city.zone).date(), now, TODAY_EVERY)])

    def _day(self, day: date, now: datetime, fresh: timedelta) -> Day:
        kept = self._days.get(day)
        if kept is None or abs(now - kept[0]) >= fresh:
            rules = self._site.city.queue
            goals = (rules.answer_goal_s, rules.chat_goal_s)
            city = self._site.city
            unreached = city.orders.unreached
            kept = (now, count_day(self._site.engine, day, city.zone, goals, unreached))
            self._days[day] = kept
            self._forget(day)
        return kept[1]

    def _forget(self, day: date) -> None:
        oldest = day - timedelta(days=2 * max(PERIODS) + 2)
        for known in [known for known in self._days if known < oldest]:
            self._days.pop(known, None)

    def _count_period(self, length: int, now: datetime) -> dict[str, Any]:
        site = self._site
        today = now.astimezone(site.city.zone).date()
        span = [today - timedelta(days=n) for n in range(2 * length - 1, -1, -1)]
        counted = [self._day(day, now, PERIOD_EVERY if day == today else OVER_EVERY)
                   for day in span]  # fmt: skip
        before, days = counted[:length], counted[length:]
        since, until = bounds(days[0].day, site.city.zone)[0], bounds(today, site.city.zone)[1]
        return {
            "length": length,
            "days": by_day(days),
            "sum": summed(days),
            "before": summed(before),
            "classes": [
                {"code": hot.code, "name": hot.name, "count": hot.count, "before": hot.before,
                 "growth": hot.growth}
                for hot in hot_classes(days, before, class_names(site.city))
            ],
            "places": hot_places(site.engine, since, until),
        }  # fmt: skip


def feed_of(app: Starlette) -> Feed:
    """The feed of this process, made when somebody looks first."""
    found: Feed | None = getattr(app.state, "wall", None)
    if found is None:
        found = app.state.wall = Feed(app.state.site)
    return found
