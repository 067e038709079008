"""How often each interface may be called. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from qianmen.wechatsim.codes import Refusal

A_DAY = {"/cgi-bin/token": 2000, "/cgi-bin/message/custom/send": 500_000,
         "/cgi-bin/message/template/send": 100_000}  # fmt: skip
_DAY_S, _MINUTE_S = 86400, 60


@dataclass
class Rates:
    """``a_day`` and ``a_minute``: bounds by path; what has none in them is not bounded."""

    a_day: dict[str, int] = field(default_factory=lambda: dict(A_DAY))
    a_minute: dict[str, int] = field(default_factory=dict)
    _days: Counter[tuple[str, int]] = field(default_factory=Counter)
    _recent: dict[str, deque[float]] = field(default_factory=dict)

    def count(self, path: str, now: float) -> None:
        """One more call; raises :class:`Refusal` 45009 (the day's), 45011 (the minute's)."""
        day = (path, int(now // _DAY_S))
        self._days[day] += 1
        if self._days[day] > self.a_day.get(path, self._days[day]):
            raise Refusal(45009)
        most = self.a_minute.get(path)
        if most is None:
            return
        recent = self._recent.setdefault(path, deque())
        while recent and now - recent[0] >= _MINUTE_S:
            recent.popleft()
        if len(recent) >= most:
            raise Refusal(45011)
        recent.append(now)
