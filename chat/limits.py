"""How fast one citizen, or one address, may write: token buckets, with time passed in."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``burst`` at once, and ``per_s`` a second for as long as one likes."""

    burst: float
    per_s: float


# Twenty messages at once is a citizen pasting a list; many citizens share one address behind a
# carrier's NAT, so an address gets far more. A new session costs a row: fewer of those.
SESSION_RATE = Rate(burst=20, per_s=1)
ADDRESS_RATE = Rate(burst=300, per_s=30)
NEW_SESSION_RATE = Rate(burst=60, per_s=1)
UPLOAD_RATE = Rate(burst=10, per_s=0.1)
ADDRESS_UPLOAD_RATE = Rate(burst=60, per_s=1)
# Who asks how an order stands needs its number and the telephone number: nobody tries many.
ASKING_RATE = Rate(burst=10, per_s=1 / 30)
CODE_RATE = Rate(burst=3, per_s=1 / 1200)
CONNECTIONS = 300
"""So many sockets of one address: a whole office behind one, and no more."""
KEPT = 20_000
LONGEST_WAIT_S = 86_400.0


class Limiter:
    """One bucket a key; the least used are forgotten beyond ``kept`` (memory stays bounded)."""

    def __init__(self, rate: Rate, kept: int = KEPT) -> None:
        self.rate = rate
        self._kept = kept
        self._spent: dict[str, float] | None = None
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float, cost: float = 1) -> float:
        """Take ``cost`` from ``key``'s bucket at ``now_s`` (a monotonic clock, s).

        0 where it was there; else nothing is taken, and so many seconds later it will be.
        """
        level = self._filled(*self._buckets.pop(key, (self.rate.burst, now_s)), now_s)
        allowed = level >= cost
        self._buckets[key] = (level - cost if allowed else level, now_s)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        if allowed:
            if self._spent is not None:
                self._spent[key] = self._spent.get(key, 0.0) + cost
            return 0.0
        return max((cost - level) / self.rate.per_s, 0.001) if self.rate.per_s else LONGEST_WAIT_S

    def allow(self, key: str, now_s: float) -> bool:
        """Take one, where it is there."""
        return self.take(key, now_s) == 0

    def note_spending(self) -> None:
        """Keep count of what is taken, for who shares it: see ``chat.sharing``."""
        self._spent = {}

    def spent(self) -> dict[str, float]:
        """What was taken by key since the last call."""
        found, self._spent = self._spent or {}, {}
        return found

    def lower(self, key: str, level: float, now_s: float) -> None:
        """No more than ``level`` is left of ``key``'s bucket, less what was taken meanwhile."""
        known = self._buckets.get(key)
        if known is None or self._spent is None:
            return
        own = self._filled(*known, now_s)
        self._buckets[key] = (min(own, level - self._spent.get(key, 0.0)), now_s)

    def _filled(self, level: float, then_s: float, now_s: float) -> float:
        """What a bucket that had ``level`` at ``then_s`` has now."""
        return min(self.rate.burst, level + max(0.0, now_s - then_s) * self.rate.per_s)


class Limits:
    """The limits of one web process. A loopback address is a proxy that hides whom it carries, or
    this machine itself: it is not limited as an address, its sessions are."""

    def __init__(
        self,
        session: Rate = SESSION_RATE,
        address: Rate = ADDRESS_RATE,
        new_session: Rate = NEW_SESSION_RATE,
        connections: int = CONNECTIONS,
    ) -> None:
        self._session = Limiter(session)
        self._address = Limiter(address)
        self._new_session = Limiter(new_session)
        self._upload, self._address_upload = Limiter(UPLOAD_RATE), Limiter(ADDRESS_UPLOAD_RATE)
        self._asking, self._codes = Limiter(ASKING_RATE), Limiter(CODE_RATE)
        self._connections = connections
        self._open: Counter[str] = Counter()

    def shared(self) -> dict[str, Limiter]:
        """What several processes may share, by name."""
        return {
            "session": self._session, "address": self._address, "begin": self._new_session,
            "upload": self._upload, "upload_address": self._address_upload,
            "ask": self._asking, "code": self._codes,
        }  # fmt: skip

    def write(self, session: str, address: str, now_s: float) -> float:
        """One message of ``session`` from ``address``: 0, or in how many seconds it may come."""
        return _of(self._address, address, now_s) or self._session.take(session, now_s)

    def may_write(self, session: str, address: str, now_s: float) -> bool:
        """Whether one message of ``session`` from ``address`` may come now."""
        return self.write(session, address, now_s) == 0

    def may_begin(self, address: str, now_s: float) -> bool:
        """One new session from ``address``."""
        return _of(self._new_session, address, now_s) == 0

    def upload(self, session: str, address: str, now_s: float) -> float:
        """One file of ``session`` from ``address``: 0, or in how many seconds it may come."""
        return _of(self._address_upload, address, now_s) or self._upload.take(session, now_s)

    def ask(self, number: str, address: str, now_s: float) -> float:
        """One look at the order ``number``, whoever asks; and no more of one address."""
        by_address = _of(self._asking, f"address {address}", now_s, address)
        return by_address or self._asking.take(f"order {number}", now_s)

    def code(self, session: str, now_s: float) -> float:
        """One code that joins two chats of a citizen, made or tried."""
        return self._codes.take(session, now_s)

    def connected(self, address: str) -> Connected:
        """Whether ``address`` may have one more socket, which it has while inside."""
        return Connected(self._open, address, self._connections)


class Connected:
    """One socket of an address among ``open_``, of which there are to be at most ``most``.

    A class and no generator: that is half a kilobyte, and thousands are open.
    """

    __slots__ = ("_address", "_most", "_open")

    def __init__(self, open_: Counter[str], address: str, most: int) -> None:
        self._open, self._address, self._most = open_, address, most

    def __enter__(self) -> bool:
        """Whether it may be."""
        self._open[self._address] += 1
        return _is_loopback(self._address) or self._open[self._address] <= self._most

    def __exit__(self, *_: object) -> None:
        """It is closed."""
        self._open[self._address] -= 1
        if not self._open[self._address]:
            del self._open[self._address]


def wait_told(wait_s: float) -> str:
    """How long to wait, as a citizen reads it."""
    if wait_s <= 60:
        return f"{max(1, math.ceil(wait_s))}秒"
    return f"{math.ceil(wait_s / 60)}分钟" if wait_s < 7200 else f"{math.ceil(wait_s / 3600)}小时"


def _of(limiter: Limiter, key: str, now_s: float, address: str = "") -> float:
    return 0.0 if _is_loopback(address or key) else limiter.take(key, now_s)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
