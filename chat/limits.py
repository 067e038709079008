"""How fast one citizen, or one address, may write: token buckets, with time passed in."""

from __future__ import annotations

from collections import OrderedDict
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
KEPT = 20_000


class Limiter:
    """One bucket a key; the least used are forgotten beyond ``kept`` (memory stays bounded)."""

    def __init__(self, rate: Rate, kept: int = KEPT) -> None:
        self._rate = rate
        self._kept = kept
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, key: str, now_s: float) -> bool:
        """Take one from ``key``'s bucket at ``now_s`` (a monotonic clock, s); False when empty."""
        level, then_s = self._buckets.pop(key, (self._rate.burst, now_s))
        level = min(self._rate.burst, level + max(0.0, now_s - then_s) * self._rate.per_s)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now_s)
        if len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
        return allowed


class Limits:
    """The limits of one web process. A loopback address is a proxy that hides whom it carries, or
    this machine itself: it is not limited as an address, its sessions are."""

    def __init__(
        self,
        session: Rate = SESSION_RATE,
        address: Rate = ADDRESS_RATE,
        new_session: Rate = NEW_SESSION_RATE,
    ) -> None:
        self._session = Limiter(session)
        self._address = Limiter(address)
        self._new_session = Limiter(new_session)

    def may_write(self, session: str, address: str, now_s: float) -> bool:
        """One message of ``session`` from ``address``."""
        by_address = _is_loopback(address) or self._address.allow(address, now_s)
        return by_address and self._session.allow(session, now_s)

    def may_begin(self, address: str, now_s: float) -> bool:
        """One new session from ``address``."""
        return _is_loopback(address) or self._new_session.allow(address, now_s)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
