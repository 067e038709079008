"""The phone process as others see it: its calls published, commands for them taken.

Redis may come and go: calls go on without it, what happened meanwhile is told when it is back, and
a command that lay too long is no longer carried out.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from telephony.commands import (
    COMMANDS_KEPT,
    EVENTS,
    EVENTS_KEPT,
    FORGET_MS,
    LIVE_S,
    NODES,
    calls_of,
    commands_for,
    live_words,
)
from turns import wire
from turns.calls import CallCommand, CallEvent, CallInfo
from turns.replies import Speaker

BEAT_S = 5.0
EXPIRED_MS = 30_000
"""A command older than this was meant for another moment."""
_BLOCK_MS = 5000
_RETRY_S = 0.5
_WAITING = 1000
_REMEMBERED = 1000
_AGAIN_S = 1.0
_log = structlog.get_logger(__name__)
Take = Callable[[CallCommand], None]
Audit = Callable[[CallCommand, CallEvent], None]


class Node:
    """Fulfils ``telephony.parts.Office``; ``start`` and ``stop`` it around the line's life.

    ``audit`` is called in a thread for every command that has come to its end. ``name`` must be
    this process's alone.
    """

    def __init__(
        self, redis_url: str, name: str, now: Callable[[], datetime],
        audit: Audit = lambda _command, _event: None,
    ) -> None:  # fmt: skip
        self.name = name
        self._redis = redis.from_url(
            redis_url, decode_responses=True, socket_connect_timeout=1,
            socket_timeout=2 * _BLOCK_MS / 1000,
        )  # fmt: skip
        self._now = now
        self._audit = audit
        self._calls: dict[str, CallInfo] = {}
        self._takes: dict[str, Take] = {}
        self._changed: set[str] = set()
        self._events: deque[CallEvent] = deque(maxlen=_WAITING)
        self._words: deque[tuple[str, str]] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()
        self._seen: OrderedDict[str, tuple[CallCommand, CallEvent | None]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._audits: set[asyncio.Task[None]] = set()
        self._down = False

    # The office

    def opened(self, info: CallInfo, take: Take) -> None:
        """A call began."""
        self._takes[info.call] = take
        self.changed(info)

    def changed(self, info: CallInfo) -> None:
        """It stands otherwise."""
        if info.call in self._takes:
            self._calls[info.call] = info
            self._changed.add(info.call)
            self._news.set()

    def closed(self, call: str) -> None:
        """It is over."""
        self._takes.pop(call, None)
        self._calls.pop(call, None)
        self._changed.add(call)
        self._news.set()

    def told(self, event: CallEvent) -> None:
        """Tell everybody; the end of a command is remembered and audited."""
        self._events.append(event)
        self._news.set()
        order, _ = self._seen.get(event.command, (None, None))
        if order is not None and event.done:
            self._seen[event.command] = (order, event)
            task = asyncio.create_task(self._audited(order, event))
            self._audits.add(task)
            task.add_done_callback(self._audits.discard)

    def partial(self, call: str, speaker: Speaker, text: str) -> None:
        """Words on their way; lost where nobody listens."""
        said = json.dumps({"s": speaker, "t": text}, ensure_ascii=False)
        self._words.append((live_words(call), said))
        self._news.set()

    # Its life

    def start(self) -> None:
        """Publish and take commands, now and whenever Redis is there."""
        for work in (self._read(), self._write(), self._beat()):
            self._tasks.add(asyncio.create_task(work))

    async def stop(self) -> None:
        """Take no more commands; what was told last still goes out, if it can at once."""
        left = set(self._tasks)
        while left:  # a cancellation may be lost in the client's own time-outs: say it again
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=_AGAIN_S)
        await asyncio.gather(*self._audits, return_exceptions=True)
        try:
            async with asyncio.timeout(_AGAIN_S):
                await self._flush()
                await self._redis.delete(calls_of(self.name))
                await self._redis.zrem(NODES, self.name)
        except (RedisError, OSError):
            pass
        await self._redis.aclose()

    async def _audited(self, order: CallCommand, event: CallEvent) -> None:
        try:
            await asyncio.to_thread(self._audit, order, event)
        except Exception as error:  # noqa: BLE001  # a call must not suffer from its audit
            _log.error("command_not_audited", code=type(error).__name__, verb=order.verb)

    # What is published

    async def _beat(self) -> None:
        """Everything anew from time to time, so that what Redis lost comes back by itself."""
        while True:
            try:
                await self._publish_all()
                self._said_so(down=False)
                await asyncio.sleep(BEAT_S)
            except (RedisError, OSError):
                self._said_so(down=True)
                await asyncio.sleep(_RETRY_S)

    async def _publish_all(self) -> None:
        seconds, micro = await self._redis.time()
        now_ms = seconds * 1000 + micro // 1000
        mapping: Any = {"": "", **{call: _text(info) for call, info in self._calls.items()}}
        async with self._redis.pipeline() as together:
            together.delete(calls_of(self.name))
            together.hset(calls_of(self.name), mapping=mapping)
            together.expire(calls_of(self.name), LIVE_S)
            together.zadd(NODES, {self.name: now_ms})
            together.zremrangebyscore(NODES, 0, now_ms - FORGET_MS)
            await together.execute()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._flush()
            except (RedisError, OSError):
                self._said_so(down=True)
                self._words.clear()
                await asyncio.sleep(_RETRY_S)
                self._news.set()

    async def _flush(self) -> None:
        """Calls first: who hears of an event may ask for its call."""
        while self._changed:
            await self._publish(next(iter(self._changed)))
        while self._events:
            fields: Any = {"e": _text(self._events[0])}
            await self._redis.xadd(EVENTS, fields, maxlen=EVENTS_KEPT, approximate=True)
            self._events.popleft()
        while self._words:
            await self._redis.publish(*self._words.popleft())

    async def _publish(self, call: str) -> None:
        info = self._calls.get(call)
        if info is None:
            await self._redis.hdel(calls_of(self.name), call)
        else:
            await self._redis.hset(calls_of(self.name), call, _text(info))
            await self._redis.expire(calls_of(self.name), LIVE_S)
        if self._calls.get(call) is info:  # else it has changed meanwhile, and goes out again
            self._changed.discard(call)

    # What is commanded

    async def _read(self) -> None:
        last = ""
        while True:
            try:
                last = last or await self._newest()
                last = await self._read_after(last)
            except (RedisError, OSError):
                self._said_so(down=True)
                await asyncio.sleep(_RETRY_S)

    async def _newest(self) -> str:
        """What was ordered of a process that went before is none of ours."""
        newest: Any = await self._redis.xrevrange(commands_for(self.name), count=1)
        return str(newest[0][0]) if newest else "0-0"

    async def _read_after(self, last: str) -> str:
        stream = commands_for(self.name)
        found: Any = await self._redis.xread({stream: last}, count=COMMANDS_KEPT, block=_BLOCK_MS)
        if not found:
            return last
        seconds, _ = await self._redis.time()
        for entry, fields in found[0][1]:
            last = str(entry)
            age_ms = seconds * 1000 - int(last.partition("-")[0])
            self._take(fields.get("c", ""), expired=age_ms > EXPIRED_MS)
        return last

    def _take(self, text: str, *, expired: bool) -> None:
        try:
            command = wire.load(CallCommand, json.loads(text))
        except (ValueError, wire.WireError):
            _log.warning("command_unreadable", code="wire_invalid")
            return
        if command.id in self._seen:
            _, event = self._seen[command.id]
            if event is not None:
                self._events.append(event)
                self._news.set()
            return
        self._seen[command.id] = (command, None)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        _log.info("call_commanded", conversation=command.call, verb=command.verb)
        take = self._takes.get(command.call)
        if take is None or expired:
            self._refuse(command, "expired" if expired else "call_unknown")
        else:
            take(command)

    def _refuse(self, command: CallCommand, cause: str) -> None:
        self.told(
            CallEvent(command.call, "failed", "caller", self._now(), cause, command.id, done=True)
        )

    def _said_so(self, *, down: bool) -> None:
        """Log the loss of Redis, and its return, once each."""
        if down != self._down:
            self._down = down
            _log.warning("node_changed", code="redis_lost" if down else "redis_back")


def _text(value: CallInfo | CallEvent) -> str:
    return json.dumps(wire.dump(value), ensure_ascii=False)
