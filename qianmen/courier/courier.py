"""All that the courier does, woken by Redis, and by itself each second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine

from bot import answered
from bot.bus import Bus, Watch
from config.city import City
from handoff.links import book, telling
from handoff.links.emergency import EmergencyLink
from handoff.links.http import Post
from handoff.links.keys import Keys
from handoff.links.telling import News
from qianmen.courier.lane import DangerWay, Lane, NewsWay, Now, Way, utc_now
from store.faults import fault_of
from turns.replies import Say

WAKE = "#courier"
"""The bus's key by which others say that there is something to send."""
QUEUE = "#queue"
"""The same for the desks: alarms and links changed. A hand-over wakes it too, and us by it."""
PATIENCE_S = 2.0
_AGAIN_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the courier works with. ``more``: ways beside the links', to whom ``others`` names."""

    engine: Engine
    city: City
    bus: Bus
    link: EmergencyLink
    post: Post
    keys: Mapping[str, Keys]
    now: Now = utc_now
    more: tuple[Way, ...] = ()
    others: book.Others = book.nobody_else


class Courier:
    """Sends until ``stop``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        links, engine = parts.city.links, parts.engine
        ways: tuple[Way, ...] = (
            *(DangerWay(engine, links, party, parts.link) for party in links.parties),
            *(NewsWay(engine, links, target, parts.post, parts.keys.get(target.name, ()), parts.now)
              for target in links.targets),
            *parts.more,
        )  # fmt: skip
        self._lanes = [Lane(way, parts.now, self._settled) for way in ways]
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "fan_out": self._fan_out, "overdue": self._overdue, "tell": self._tell,
        }  # fmt: skip
        works |= {way.name: lane.look for way, lane in zip(ways, self._lanes, strict=True)}
        self._works = works
        self._tasks: list[asyncio.Task[None]] = []
        self._watches = {name: Watch() for name in works}
        self._down: set[str] = set()

    async def start(self) -> None:
        """Begin; what waits for targets that are gone is given up."""
        self._tasks = [
            asyncio.create_task(self._live(name, work), name=f"courier {name}")
            for name, work in self._works.items()
        ]

    @property
    def alive(self) -> bool:
        """Whether everything that it does is still done."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def stop(self) -> None:
        """Begin nothing more; what is on its way may end for ``PATIENCE_S``."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(lane.end(PATIENCE_S) for lane in self._lanes))

    async def _live(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        bus, watch = self._parts.bus, self._watches[name]
        with bus.watch(WAKE, watch), bus.watch(QUEUE, watch):
            while True:
                try:
                    await work()
                    self._well(name)
                except Exception as error:  # noqa: BLE001  # it must go on, whatever a driver raises
                    self._failed(name, error)
                    await asyncio.sleep(_AGAIN_S)
                await watch.wait()

    def _wake(self) -> None:
        for watch in self._watches.values():
            watch.wake()

    def _failed(self, name: str, error: Exception) -> None:
        if name not in self._down:
            self._down.add(name)
            _log.error("courier_failed", code=fault_of(error), work=name,
                       error=type(error).__name__)  # fmt: skip

    def _well(self, name: str) -> None:
        if name in self._down:
            self._down.discard(name)
            _log.info("courier_back", work=name)

    def _settled(self, state: str) -> None:
        """News for the desks, and perhaps for a citizen; room in the lane in any case."""
        if state in ("acknowledged", "refused", "failed"):
            self._parts.bus.tell(QUEUE)
        self._wake()

    async def _fan_out(self) -> None:
        parts, links = self._parts, self._parts.city.links
        known = [way.name for way in parts.more]
        await asyncio.to_thread(book.forget_strangers, parts.engine, links, known)
        while await asyncio.to_thread(book.fan_out, parts.engine, links, parts.now(), parts.others):
            self._wake()

    async def _overdue(self) -> None:
        links, now = self._parts.city.links, self._parts.now()
        if await asyncio.to_thread(book.alarm_overdue, self._parts.engine, links, now):
            self._parts.bus.tell(QUEUE)

    async def _tell(self) -> None:
        for news in await asyncio.to_thread(
            telling.claim_news, self._parts.engine, self._parts.now()
        ):
            await asyncio.to_thread(self._tell_one, news, self._parts.now())
            self._parts.bus.tell(news.conversation)

    def _tell_one(self, news: News, now: datetime) -> None:
        party = self._parts.city.links.party(news.party)
        label = party.label if party else news.party
        text = self._parts.city.prompts.fill("danger_acknowledged", party=label, number=news.number)
        say = Say(f"link.{news.entry}", text)
        answered.commit_told(
            self._parts.engine, news.conversation, (say,), speaker="system", at=news.at
        )
        telling.told(self._parts.engine, news, now)
