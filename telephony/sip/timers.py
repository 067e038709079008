"""RFC 3261 timers (table 4, UDP) on any clock that can call later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

T1_S = 0.5
T2_S = 4.0
T4_S = 5.0
GIVE_UP_S = 64 * T1_S


class Cancellable(Protocol):
    """What ``call_later`` returns."""

    def cancel(self) -> None:
        """Do not call."""


class Clock(Protocol):
    """The part of an event loop that timers need; tests bring a virtual one."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Cancellable:
        """Call ``callback`` once, ``delay`` s from now."""


class Resend:
    """Sends again after T1, 2·T1, … until ``stop`` or, after 64·T1, ``on_give_up``.

    ``cap_s`` bounds the interval: T2 for all but the INVITE request, which has no bound.
    """

    def __init__(
        self,
        clock: Clock,
        send: Callable[[], object],
        on_give_up: Callable[[], object],
        cap_s: float = T2_S,
    ) -> None:
        self._clock = clock
        self._send = send
        self._cap_s = cap_s
        self._interval_s = min(T1_S, cap_s)
        self._next = clock.call_later(self._interval_s, self._again)
        self._end = clock.call_later(GIVE_UP_S, self._give_up)
        self._on_give_up = on_give_up

    def _again(self) -> None:
        self._send()
        self._interval_s = min(2 * self._interval_s, self._cap_s)
        self._next = self._clock.call_later(self._interval_s, self._again)

    def _give_up(self) -> None:
        self.stop()
        self._on_give_up()

    def slow_down(self) -> None:
        """Once a 1xx came for a non-INVITE request: every T2 (RFC 3261 §17.1.2.2)."""
        self._interval_s = T2_S

    def stop(self) -> None:
        """No more."""
        self._next.cancel()
        self._end.cancel()
