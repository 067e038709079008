"""Access tokens by the platform's rules: who fetches anew shortens the life of the last. Pure.

``token``: each fetch makes a new one, and the one before lives five minutes more. ``stable_token``:
the same one until five minutes before its end, unless a refresh is forced (20 a day, 30 s apart).
The two kinds do not touch each other.

https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from qianmen.wechatsim.codes import Refusal

LIFE_S = 7200
OVERLAP_S = 300
FORCED_APART_S = 30
FORCED_A_DAY = 20


@dataclass
class Tokens:
    """Which tokens are good, and until when (seconds of the epoch)."""

    good: dict[str, float] = field(default_factory=dict)
    fetched: int = 0
    """How often a new one was made."""
    _plain: str = ""
    _stable: str = ""
    _forced: list[float] = field(default_factory=list)
    _killed: set[str] = field(default_factory=set)
    _replaced: set[str] = field(default_factory=set)

    def plain(self, now: float) -> tuple[str, int]:
        """A new token and its seconds; the one before is good for five minutes more."""
        self._shorten(self._plain, now + OVERLAP_S)
        self._plain = self._new(now)
        return self._plain, LIFE_S

    def stable(self, now: float, *, force: bool) -> tuple[str, int]:
        """The stable token and the seconds it has left; raises :class:`Refusal` 45009."""
        if force:
            return self._force(now)
        left = self.good.get(self._stable, 0.0) - now
        if left <= OVERLAP_S:
            self._stable = self._new(now)  # the old one stays good to its own end: ≤ 300 s
            left = LIFE_S
        return self._stable, int(left)

    def _force(self, now: float) -> tuple[str, int]:
        self._forced = [at for at in self._forced if now - at < 86400]
        if len(self._forced) >= FORCED_A_DAY:
            raise Refusal(45009)
        left = self.good.get(self._stable, 0.0) - now
        if left > 0 and self._forced and now - self._forced[-1] < FORCED_APART_S:
            return self._stable, int(left)
        self._forced.append(now)
        self.kill(self._stable)
        self._stable = self._new(now)
        return self._stable, LIFE_S

    def check(self, token: str, now: float) -> None:
        """Raises :class:`Refusal`: 41001, 40001 (unknown or replaced), 42001 (run out)."""
        if not token:
            raise Refusal(41001)
        until = self.good.get(token)
        if until is None or token in self._killed:
            raise Refusal(40001)
        if now >= until:
            raise Refusal(40001 if token in self._replaced else 42001)

    def kill(self, token: str = "") -> None:
        """Make a token (or every one) worthless at once, as a reset of the secret does."""
        self._killed.update([token] if token else self.good)

    def _new(self, now: float) -> str:
        token = f"SIM_{secrets.token_urlsafe(120)}"  # longer than 128: room for 512 is asked for
        self.good[token] = now + LIFE_S
        self.fetched += 1
        return token

    def _shorten(self, token: str, until: float) -> None:
        if token in self.good:
            self.good[token] = min(self.good[token], until)
            self._replaced.add(token)
