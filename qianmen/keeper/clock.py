"""Does the clock run as time does? What deletes by age rests while that is in doubt. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

NOTED = timedelta(seconds=5)
"""A step beyond this is no correction of a time server's but a jump."""
DOUBTED = timedelta(hours=6)
"""A jump forward beyond this makes things look old that are not."""
AWAY = timedelta(days=7)
"""Nobody looked for so long: either it was switched off, or the clock was set while it was."""
REST = timedelta(hours=24)
"""How long what deletes rests then, unless a person says that the clock is right."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of the clock: when it was ``seen``, and for how long it stays in ``doubt``.

    ``monotonic`` (s) belongs to this process; None before the first look. ``jump`` is the step
    found by the last look, zero where there was none.
    """

    seen: datetime | None = None
    monotonic: float | None = None
    doubt: timedelta = timedelta()
    jump: timedelta = timedelta()

    @property
    def trusted(self) -> bool:
        """Whether what deletes by age may run."""
        return not self.doubt

    def dumps(self) -> str:
        """What the next process must know."""
        seen = self.seen.isoformat() if self.seen else None
        return json.dumps({"seen": seen, "doubt_s": round(self.doubt.total_seconds())})


def loads(text: str) -> Clock:
    """What ``dumps`` wrote; a file that says nothing sensible is a clock never seen."""
    try:
        document = json.loads(text)
        seen = datetime.fromisoformat(document["seen"])
        doubt = timedelta(seconds=max(0, min(document["doubt_s"], REST.total_seconds())))
    except (ValueError, TypeError, KeyError, OverflowError):
        return Clock()
    return Clock(seen, None, doubt) if seen.tzinfo else Clock()


def look(clock: Clock, wall: datetime, monotonic: float) -> Clock:
    """The clock looked at once more. The first look of a process cannot tell a jump from absence:
    only a very long one is doubted."""
    if clock.seen is None:
        return Clock(wall, monotonic)
    if clock.monotonic is None:
        gap = wall - clock.seen
        doubt = REST if gap > AWAY else clock.doubt
        jump = gap if gap > AWAY or gap < -NOTED else timedelta()
        return Clock(wall, monotonic, doubt, jump)
    passed = timedelta(seconds=monotonic - clock.monotonic)
    jump = wall - clock.seen - passed
    left = max(timedelta(), clock.doubt - passed)
    if abs(jump) <= NOTED:
        return Clock(wall, monotonic, left)
    return Clock(wall, monotonic, REST if jump > DOUBTED else left, jump)


def confirmed(clock: Clock) -> Clock:
    """A person says that the clock is right."""
    return replace(clock, doubt=timedelta())
