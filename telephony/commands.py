"""Commands for calls, from whoever may give them: find a call's node, order, hear what came of it.

All of it lies in Redis and none of it is kept: a call that is over is of no use to anybody. What is
written there names calls by the conversation's id and callers by a masked number.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from turns import wire
from turns.calls import FAILURES, CallCommand, CallEvent, CallInfo, Verb

NODES = "qianmen:phones"
"""Sorted set: every node that holds calls, by the ms of its last sign of life (Redis's clock)."""
EVENTS = "qianmen:call-events"
"""Stream: what became of calls and commands, of all nodes; field ``e`` a dumped CallEvent."""
EVENTS_KEPT = 10_000
COMMANDS_KEPT = 1000
LIVE_S = 15
"""A node that has not renewed its calls for so long is dead, and its calls with it."""
FORGET_MS = 3_600_000
"""After so long a dead node is no longer told of."""
QUICK_S = 10.0
SLOW_S = 120.0
"""How long to wait for a command that calls somebody: a list of telephones may ring in turn."""
_SLOW = frozenset({"bridge", "three_way", "transfer", "whisper"})
_BLOCK_MS = 2000
_SHORTEST_PREFIX = 10


def calls_of(node: str) -> str:
    """Hash of a node's calls: id → dumped CallInfo. Gone when the node is."""
    return f"qianmen:calls:{node}"


def commands_for(node: str) -> str:
    """Stream of a node's commands; field ``c`` a dumped CallCommand."""
    return f"qianmen:commands:{node}"


def live_words(call: str) -> str:
    """Pub/sub channel of the words being said in a call: ``{"s": speaker, "t": text}``."""
    return f"qianmen:live:{call}"


class ControlError(Exception):
    """A command that reached no call, or came to nothing.

    ``code``: one of ``turns.calls.FAILURES``; the text is for staff.
    """

    def __init__(self, code: str) -> None:
        super().__init__(FAILURES.get(code, code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Calls:
    """All calls under way, oldest first, and the nodes that died a short time ago."""

    calls: tuple[CallInfo, ...]
    lost_nodes: tuple[str, ...]


class CallControl:
    """The desk's end. An async context manager; every method raises :class:`ControlError`
    ``redis_lost`` where Redis does not answer.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.from_url(
            redis_url, decode_responses=True, socket_connect_timeout=1,
            socket_timeout=3 * _BLOCK_MS / 1000,
            retry=Retry(NoBackoff(), 1),  # a Redis that came back: every request may come twice
        )  # fmt: skip

    async def __aenter__(self) -> CallControl:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._redis.aclose()

    async def calls(self) -> Calls:
        """Every call that any node holds."""
        found: list[CallInfo] = []
        lost: list[str] = []
        for node, seen_ms in await self._ask(self._redis.zrange(NODES, 0, -1, withscores=True)):
            held = await self._ask(self._redis.hgetall(calls_of(node)))
            if held:
                found.extend(info for info in map(_info, held.values()) if info is not None)
            elif await self._now_ms() - seen_ms < FORGET_MS:
                lost.append(node)
        return Calls(tuple(sorted(found, key=lambda info: info.began)), tuple(lost))

    async def find(self, call: str) -> CallInfo:
        """The call of that id, or whose id begins so (10 characters at least).

        Raises ``call_unknown``, ``call_ambiguous``; ``node_lost`` if a node died that may have held
        it.
        """
        calls = await self.calls()
        found = [
            info
            for info in calls.calls
            if info.call == call or (len(call) >= _SHORTEST_PREFIX and info.call.startswith(call))
        ]
        if len(found) > 1:
            raise ControlError("call_ambiguous")
        if found:
            return found[0]
        code = "node_lost" if calls.lost_nodes else "call_unknown"
        raise ControlError(code)

    async def command(
        self, call: str, verb: Verb, target: str = "", *, by: str, id_: str = "",
        timeout_s: float | None = None,
    ) -> CallEvent:  # fmt: skip
        """Order, and wait for what comes of it: the command's last event, never ``failed``.

        The same ``id_`` again is not carried out again, but told again. Raises what ``find`` does;
        with the event's cause where the command failed; ``no_answer_from_phone`` after
        ``timeout_s``.
        """
        info = await self.find(call)
        order = CallCommand(id_ or secrets.token_hex(12), info.call, verb, target, by)
        wait_s = timeout_s or (SLOW_S if verb in _SLOW else QUICK_S)
        last = await self._last_event()
        await self.send(info.node, order)
        try:
            async with asyncio.timeout(wait_s):
                event = await self._outcome(order.id, last)
        except TimeoutError:
            raise ControlError("no_answer_from_phone") from None
        if event.state == "failed":
            raise ControlError(event.cause or "command_failed")
        return event

    async def send(self, node: str, command: CallCommand) -> None:
        """Put a command on a node's stream and wait for nothing."""
        fields: Any = {"c": json.dumps(wire.dump(command), ensure_ascii=False)}
        await self._ask(
            self._redis.xadd(commands_for(node), fields, maxlen=COMMANDS_KEPT, approximate=True)
        )

    async def events(self, after: str = "") -> AsyncIterator[tuple[str, CallEvent]]:
        """What becomes of calls from now on, or after a place in the stream: place, event."""
        last = after or await self._last_event()
        while True:
            found: Any = await self._ask(
                self._redis.xread({EVENTS: last}, count=100, block=_BLOCK_MS)
            )
            for _, entries in found or ():
                for last, fields in entries:
                    event = _event(fields.get("e", ""))
                    if event is not None:
                        yield last, event

    async def partials(self, call: str) -> AsyncIterator[tuple[str, str]]:
        """The words being said in a call while people talk: speaker, text so far."""
        async with self._redis.pubsub() as listening:
            await self._ask(listening.subscribe(live_words(call)))
            while True:
                message = await self._ask(
                    listening.get_message(ignore_subscribe_messages=True, timeout=1.0)
                )
                words = _words(message["data"]) if message else None
                if words is not None:
                    yield words

    async def _outcome(self, command: str, last: str) -> CallEvent:
        async for _, event in self.events(last):
            if event.command == command and event.done:
                return event
        raise AssertionError("the events have no end")

    async def _last_event(self) -> str:
        newest: Any = await self._ask(self._redis.xrevrange(EVENTS, count=1))
        return str(newest[0][0]) if newest else "0-0"

    async def _now_ms(self) -> float:
        seconds, micro = await self._ask(self._redis.time())
        return float(seconds) * 1000 + float(micro) / 1000

    async def _ask(self, request: Any) -> Any:
        try:
            return await request
        except (RedisError, OSError):
            raise ControlError("redis_lost") from None


def _info(text: str) -> CallInfo | None:
    """A node's own sign of life is no call; what another version wrote is left out."""
    try:
        return wire.load(CallInfo, json.loads(text)) if text else None
    except (ValueError, wire.WireError):
        return None


def _event(text: str) -> CallEvent | None:
    try:
        return wire.load(CallEvent, json.loads(text))
    except (ValueError, wire.WireError):
        return None


def _words(text: str) -> tuple[str, str] | None:
    try:
        told = json.loads(text)
        return str(told["s"]), str(told["t"])
    except (ValueError, KeyError, TypeError):
        return None
