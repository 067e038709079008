"""Wake whoever waits for news of a conversation: in this process at once, elsewhere by Redis.

Nothing is carried but the conversation's id: the news itself stands in the database. So a lost
wake-up costs time, never a message: readers look again after ``PATIENCE_S``; or, where thousands
read, one look at the newest turns of all (``look_after``) every so often wakes those concerned.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from store.faults import fault_of

STREAM = "qianmen:turns"
PATIENCE_S = 1.0
LOOKED_AFTER_S = 60.0
"""How long a reader waits where one look is taken for all."""
_WINDOW = 200
"""Turns looked at again: one that was numbered earlier may be committed later."""
_KEPT = 1000
_BLOCK_MS = 5000
_AGAIN_S = 1.0
_RETRY_S = 0.5
_log = structlog.get_logger(__name__)
Newest = Callable[[int], Iterable[tuple[int, str]]]
"""Gives the turns (cursor, conversation) behind a cursor; the latest few for 0."""


class Watch:
    """One waiter for one conversation."""

    __slots__ = ("_news", "_waiter")

    def __init__(self) -> None:
        # Not an Event: thousands wait, and one of those alone is a kilobyte.
        self._news = False
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """There is news."""
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

    def tell(self, conversation: str) -> None:
        """Wake all that wait for ``conversation``, here at once and elsewhere soon."""
        self._wake(conversation)
        self._spawn(self._publish(conversation))

    def _wake(self, conversation: str) -> None:
        if self._looks:
            self._woken.add(conversation)
        for watch in self._watches.get(conversation, ()):
            watch.wake()
        for hear in tuple(self._hearers):
            hear(conversation)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, conversation: str) -> None:
        try:
            entry: Any = {"c": conversation, "p": self._me}
            await self._redis.xadd(STREAM, entry, maxlen=_KEPT, approximate=True)
        except (RedisError, OSError):
            self._said_so(down=True)

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
                    self._wake(fields.get("c", ""))
                last = entry
        return last
