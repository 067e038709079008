"""How fast we call the platform: a token bucket that waits, with the clock passed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from chat.wechat.errors import WeChatError

LONGEST_WAIT_S = 10.0
"""Whose turn would come later is told so at once."""
Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """At most ``burst`` calls at once, and ``per_s`` a second for as long as one likes."""

    def __init__(
        self, per_s: float, burst: float | None = None, *,
        clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._per_s = per_s
        self._burst = max(burst if burst is not None else per_s, 1.0)
        self._clock = clock
        self._sleep = sleep
        self._level = self._burst
        self._at_s = clock()

    async def wait(self) -> None:
        """Return when it is this call's turn, in the order of asking.

        Raises :class:`WeChatError` ``wechat_too_fast`` where that would be too late.
        """
        now_s = self._clock()
        self._level = min(self._burst, self._level + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        wait_s = (1 - self._level) / self._per_s
        if wait_s > LONGEST_WAIT_S:
            raise WeChatError("wechat_too_fast")
        self._level -= 1  # below zero: who asks next waits behind this one
        if wait_s > 0:
            await self._sleep(wait_s)
