"""Wake whoever waits for news of a conversation: in this process at once, elsewhere by Redis.

What is new stands in the database; other processes are told only where, and of what kind. So a
lost wake-up costs time, never a message: readers look again after ``PATIENCE_S``; or, where
thousands read, one look at the newest turns of all (``look_after``) every so often wakes those
concerned. Readers in the same process get what was told with the news and need not read it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from store.faults import fault_of
from turns.replies import Told

STREAM = "qianmen:turns"
PATIENCE_S = 1.0
LOOKED_AFTER_S = 300.0
"""How long a reader waits where one look is taken for all; ten thousand of them idle."""
_WINDOW = 200
"""Turns looked at again: one that was numbered earlier may be committed later."""
_KEPT = 1000
_BLOCK_MS = 5000
_AGAIN_S = 1.0
_RETRY_S = 0.5
_log = structlog.get_logger(__name__)
Newest = Callable[[int], Iterable[tuple[int, str]]]
"""Gives the turns (cursor, conversation) behind a cursor; the latest few for 0."""


NewsKind = Literal["heard", "told", ""]
_KINDS: frozenset[str] = frozenset(get_args(NewsKind))


@dataclass(frozen=True, slots=True)
class News:
    """What is new: the citizen was ``heard``, something was ``told``, or anything else (''), which
    may have moved them in the queue.

    ``told`` is all that was told behind the cursor ``after``; empty where only the database knows.
    """

    kind: NewsKind = ""
    after: int = 0
    told: tuple[Told, ...] = ()


HEARD, ANY = News("heard"), News()


class Watch:
    """One waiter for one conversation; for ``kinds`` of news only, where they are given."""

    __slots__ = ("_kinds", "_news", "_waiter")

    def __init__(self, kinds: frozenset[NewsKind] | None = None) -> None:
        # Not an Event: thousands wait, and one of those alone is a kilobyte.
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self._kinds = kinds

    def wake(self, news: News = ANY) -> None:
        """There is news."""
        if self._kinds is None or news.kind in self._kinds:
            self._news = True
            _end(self._waiter)

    @property
    def woken(self) -> bool:
        """Whether there is news that nobody has waited for yet."""
        return self._news

    def calm(self) -> None:
        """The news so far are known."""
        self._news = False

    async def wait(self, patience_s: float = PATIENCE_S) -> bool:
        """Return when there is news since the last call (True), or after ``patience_s``."""
        if not self._news:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            alarm = loop.call_later(patience_s, _end, self._waiter)
            try:
                await self._waiter
            finally:
                alarm.cancel()
                self._waiter = None
        news, self._news = self._news, False
        return news


class Reader(Watch):
    """A waiter who reads all that is told: what is known without the database it has here."""

    __slots__ = ("_fresh",)

    def __init__(self) -> None:
        super().__init__()
        self._fresh: list[News] | None = []
        """None: something is new that only the database knows."""

    def wake(self, news: News = ANY) -> None:
        """There is news; nothing is kept of them where the database must be read anyway."""
        if news.kind == "heard":
            return
        if not news.told:
            self._fresh = None
        elif self._fresh is not None:
            self._fresh.append(news)
        super().wake(news)

    def take(self, cursor: int) -> tuple[Told, ...] | None:
        """All that was told behind ``cursor``; None where only the database knows."""
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return None
        told: list[Told] = []
        for news in fresh:
            if news.after > cursor:  # another process told something in between
                return None
            told += (one for one in news.told if one.cursor > cursor)
            cursor = max(cursor, news.told[-1].cursor)
        return tuple(told)


def _end(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Bus:
    """The wake-up of one process; ``start`` it to hear the other processes too."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.from_url(
            redis_url,
            decode_responses=True,
            socket_connect_timeout=1,
            socket_timeout=2 * _BLOCK_MS / 1000,  # a read that waits for news is not a dead server
        )
        self._me = secrets.token_hex(8)
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._hearers: list[Callable[[str], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._outgoing: list[tuple[str, NewsKind]] = []
        self._down = False
        self._looks = False
        self._woken: set[str] = set()
        """Who was woken since the last look, so that it need not wake them again."""

    @property
    def down(self) -> bool:
        """Whether Redis was away when it was last needed: other processes hear nothing of us."""
        return self._down

    def start(self) -> None:
        """Begin to listen to the other processes."""
        self._spawn(self._listen())

    def look_after(self, newest: Newest) -> None:
        """Look for all readers at once: ``newest(after)`` is called in a thread, every second."""
        self._spawn(self._look(newest))

    @property
    def patience_s(self) -> float:
        """How long a reader waits before it looks by itself; not all of them alike."""
        return LOOKED_AFTER_S * (0.5 + random.random()) if self._looks else PATIENCE_S  # noqa: S311  # no secret

    async def _look(self, newest: Newest) -> None:
        last, seen = 0, set[int]()
        while True:
            self._woken.clear()
            await asyncio.sleep(PATIENCE_S)
            try:
                found = list(await asyncio.to_thread(newest, max(0, last - _WINDOW)))
            except SQLAlchemyError as error:
                self._looks = False
                _log.warning("bus_cannot_look", code="store_down", fault=fault_of(error))
                continue
            known = set() if self._down else self._woken
            for conversation in {name for seq, name in found if seq not in seen} - known:
                self._wake(conversation)
            seen = {seq for seq, _ in found}
            last = max(seen, default=last)
            self._looks = True

    async def stop(self) -> None:
        """End listening and close the connection."""
        left = set(self._tasks)
        while left:  # a cancellation may be lost in the client's own time-outs: say it again
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=_AGAIN_S)
        await self._redis.aclose()

    @contextlib.contextmanager
    def watch(self, conversation: str, watch: Watch | None = None) -> Iterator[Watch]:
        """Be woken for ``conversation`` while inside; one ``watch`` may wait for several."""
        watch = watch or Watch()
        self._watches[conversation].add(watch)
        try:
            yield watch
        finally:
            self._watches[conversation].discard(watch)
            if not self._watches[conversation]:
                del self._watches[conversation]

    @contextlib.contextmanager
    def overhear(self, hear: Callable[[str], None]) -> Iterator[None]:
        """Have ``hear`` called with the key of whatever news there is, while inside."""
        self._hearers.append(hear)
        try:
            yield
        finally:
            self._hearers.remove(hear)

    def tell(self, conversation: str, news: News = ANY) -> None:
        """Wake all that wait for ``conversation``, here at once and elsewhere soon."""
        self._wake(conversation, news)
        self._publish(conversation, news.kind)

    def _wake(self, conversation: str, news: News = ANY) -> None:
        if self._looks:
            self._woken.add(conversation)
        for watch in self._watches.get(conversation, ()):
            watch.wake(news)
        for hear in tuple(self._hearers):
            hear(conversation)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _publish(self, conversation: str, kind: NewsKind) -> None:
        """What is told while the last ones are still on their way goes with the next, together."""
        self._outgoing.append((conversation, kind))
        if len(self._outgoing) == 1:
            self._spawn(self._send())

    async def _send(self) -> None:
        while self._outgoing:
            going = self._outgoing[:_KEPT]
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for conversation, kind in going:
                        entry: Any = {"c": conversation, "p": self._me, "k": kind}
                        pipe.xadd(STREAM, entry, maxlen=_KEPT, approximate=True)
                    await pipe.execute()
            except (RedisError, OSError):
                self._said_so(down=True)
            finally:
                del self._outgoing[: len(going)]

    async def _listen(self) -> None:
        last = "$"
        while True:
            try:
                last = await self._read(last)
                self._said_so(down=False)
            except (RedisError, OSError):
                self._said_so(down=True)
                await asyncio.sleep(_RETRY_S)

    def _said_so(self, *, down: bool) -> None:
        """Log the loss of Redis, and its return, once each."""
        if down != self._down:
            self._down = down
            code = "redis_lost" if down else "redis_back"
            _log.warning("bus_changed", code=code)

    async def _read(self, last: str) -> str:
        found: Any = await self._redis.xread({STREAM: last}, count=100, block=_BLOCK_MS)
        for _, entries in found or ():
            for entry, fields in entries:
                if fields.get("p") != self._me:  # who waits here was woken at once
                    self._wake(fields.get("c", ""), _news(fields.get("k", "")))
                last = entry
        return last


def _news(kind: str) -> News:
    return News(cast(NewsKind, kind)) if kind in _KINDS else ANY
