"""When a login is locked: five wrong tries in a quarter of an hour lock it for as long. Pure.

An address that tries many logins is slowed down as well, in each process' memory: a whole office
may share one address behind its NAT, so its measure is generous.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import datetime, timedelta

TRIES = 5
WINDOW = timedelta(minutes=15)
LOCK = timedelta(minutes=15)
LOOK_BACK = WINDOW + LOCK
"""Older tries than this cannot matter."""


def locked_until(tries: Iterable[datetime]) -> datetime | None:
    """The end of the last lock that ``tries`` caused; None where there was none.

    ``tries`` are those since the last success that were not refused by a lock: hammering on a
    locked login does not lock it for ever.
    """
    recent: list[datetime] = []
    until: datetime | None = None
    for moment in sorted(tries):
        recent = [earlier for earlier in recent if earlier > moment - WINDOW] + [moment]
        if len(recent) >= TRIES:
            until = moment + LOCK
            recent = []  # after a lock, five more are needed
    return until


def is_locked(tries: Iterable[datetime], now: datetime) -> bool:
    """Whether the next try is refused."""
    until = locked_until(tries)
    return until is not None and now < until


ADDRESS_TRIES = 50
_REMEMBERED = 10_000


class Addresses:
    """Failures by address: ``ADDRESS_TRIES`` in ``WINDOW``, then it must wait. Threads share it."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def must_wait(self, address: str, now: datetime) -> bool:
        """Whether this address may not try at the moment."""
        with self._lock:
            failures = self._failures.get(_network(address), deque())
            while failures and failures[0] <= now - WINDOW:
                failures.popleft()
            return len(failures) >= ADDRESS_TRIES

    def failed(self, address: str, now: datetime) -> None:
        """Count one failure."""
        with self._lock:
            failures = self._failures.setdefault(_network(address), deque(maxlen=ADDRESS_TRIES))
            failures.append(now)
            self._failures.move_to_end(_network(address))
            if len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)


def _network(address: str) -> str:
    """One visitor: an IPv4 address, or the /64 that an IPv6 customer gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False))
