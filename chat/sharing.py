"""Limits that several web processes share, so that who is served by all of them gets no more.

Each process decides at once by its own buckets, and twice a second tells Redis what was taken and
hears what others took: no message waits for it. So for half a second each process may give what is
its own; after that all of them know. Without Redis each goes by its own. Keys are digests.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from chat.limits import Limiter

EVERY_S = 0.5
MOST = 500
"""Buckets that one call brings; the rest goes with the next."""
_LONGEST_MS = 86_400_000
_log = structlog.get_logger(__name__)

# KEYS: the buckets. ARGV, four for each: burst, rate a second, what was taken, how long to keep it
# (ms). Returns what is left of each: less than nothing where processes gave more than there was.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local burst, rate = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local known = redis.call('HMGET', key, 'level', 'at')
  local level = burst
  if known[1] then
    local gone = math.max(0, now - tonumber(known[2]))
    level = math.min(burst, tonumber(known[1]) + gone * rate)
  end
  level = math.max(level - tonumber(ARGV[4 * i - 1]), -burst)
  redis.call('HSET', key, 'level', level, 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, ARGV[4 * i])
  left[i] = string.format('%.6f', level)
end
return left
"""


class Sharing:
    """Of one process; ``limiters`` by a name that all processes have for them.

    ``shared``: its own client, with time limits. ``secret`` makes the digests. ``clock`` is the one
    that the limiters are asked with (s).
    """

    def __init__(
        self, limiters: Mapping[str, Limiter], shared: redis.Redis, secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._limiters = dict(limiters)
        self._redis: Any = shared  # the client's types cannot tell its two colours apart
        self._secret = secret.encode()
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._down = False
        for limiter in self._limiters.values():
            limiter.note_spending()

    def start(self) -> None:
        """Begin to share."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """End; what was not told is forgotten."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.exchange()
                self._down = False
            except (RedisError, OSError, TimeoutError) as error:
                if not self._down:
                    _log.warning("limits_not_shared", code=type(error).__name__)
                self._down = True

    async def exchange(self) -> int:
        """Tell what was taken here, learn what is left of it; of how many buckets.

        Raises RedisError, OSError: what was taken then is told no more.
        """
        spent = [
            (name, key, cost)
            for name, limiter in self._limiters.items()
            for key, cost in limiter.spent().items()
        ]
        rest = iter(spent)
        while portion := list(islice(rest, MOST)):
            await self._portion(portion)
        return len(spent)

    async def _portion(self, portion: list[tuple[str, str, float]]) -> None:
        keys = [self._digest(name, key) for name, key, _ in portion]
        told: list[float | int] = []
        for name, _, cost in portion:
            rate = self._limiters[name].rate
            refill_ms = 2000 * rate.burst / rate.per_s if rate.per_s else _LONGEST_MS
            told += [rate.burst, rate.per_s, cost, min(int(refill_ms) + 1000, _LONGEST_MS)]
        left = await self._redis.eval(_TAKE, len(keys), *keys, *told)
        now_s = self._clock()
        for (name, key, _), level in zip(portion, left, strict=True):
            self._limiters[name].lower(key, float(level), now_s)

    def _digest(self, name: str, key: str) -> str:
        digest = hmac.digest(self._secret, f"{name}\0{key}".encode("utf-8", "replace"), "sha256")
        return f"qianmen:{{limits}}:{digest[:12].hex()}"  # braces: one slot of a Redis cluster
