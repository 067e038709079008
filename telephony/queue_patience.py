"""What is due for a caller who waits in the queue. Pure: standing and time are passed in."""

from __future__ import annotations

from typing import Literal

from config.queue import QueueRules
from turns.standing import Standing

Deed = Literal[
    "",
    "tell",  # where they stand
    "offer",  # that they may be called back instead
    "hunt",  # nobody sits at a desk any more: the line's hunt group, as if there were no queue
    "hunt_beside",  # danger that nobody has taken: the hunt group too, the place is kept
    "left",  # they are in no queue any more
]
ABSENT_S = 3.0
"""So long there may be no entry yet: it is written by another process."""


class QueuePatience:
    """Watches one caller from when they begin to wait."""

    def __init__(self, rules: QueueRules, now: float) -> None:
        self._rules = rules
        self._began = now
        self._seen = now
        self._staffed = now
        self._hunted = now
        self._told_at: float | None = None
        self._told: tuple[object, ...] = ()
        self._offered = False

    def step(self, standing: Standing | None, now: float) -> Deed:
        """What is due now that the caller stands so. Seconds, on whatever clock."""
        if standing is None:
            return "left" if now - self._seen >= ABSENT_S else ""
        self._seen = now
        if not standing.waits:
            self._hunted = now
            return ""
        if standing.staffed:
            self._staffed = now
        elif now - self._staffed >= self._rules.hunt_after_s:
            return "hunt"
        if standing.urgency == "danger" and now - self._hunted >= self._rules.hunt_after_s:
            self._hunted = now
            return "hunt_beside"
        return self._words(standing, now)

    def unknown(self, now: float) -> Deed:
        """Where they stand cannot be told: after a while that is as if nobody were there."""
        return "hunt" if now - self._seen >= self._rules.hunt_after_s else ""

    def resumed(self, now: float) -> None:
        """Somebody was called for them in vain: they wait on, and were told so."""
        self._seen = self._staffed = self._hunted = now
        self._told_at = now

    def _words(self, standing: Standing, now: float) -> Deed:
        rules, waited = self._rules.announcements, now - self._began
        after_s = self._rules.callbacks.offer_after_s
        quiet = self._told_at is None or now - self._told_at >= (rules.every_s or after_s)
        if not self._offered and standing.waited_s >= after_s and quiet and self._told:
            self._offered = True
            self._told_at = now
            return "offer"
        if self._told_at is None:
            return self._tell(standing, now) if waited >= rules.first_s else ""
        if rules.every_s and quiet and _place(standing) != self._told:
            return self._tell(standing, now)
        return ""

    def _tell(self, standing: Standing, now: float) -> Deed:
        self._told_at, self._told = now, _place(standing)
        return "tell"


def _place(standing: Standing) -> tuple[object, ...]:
    """What makes it worth telling again; minutes, since an estimate wanders by seconds."""
    minutes = None if standing.estimate_s is None else -(-standing.estimate_s // 60)
    return standing.position, minutes, standing.staffed
