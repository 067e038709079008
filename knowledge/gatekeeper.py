"""The gate with a memory: what is said now is asked once, not at every try. Thread-safe.

A run asks about a thousand questions on each side. While nothing is published, one side stays as it
was, and a rehearsal followed by publishing the same is one run.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import date, datetime

from knowledge.editing import Place
from knowledge.gate import Side, compare
from knowledge.gateresult import GateResult
from knowledge.published import Snapshot
from knowledge.search import Search
from knowledge.staging import Staged, search_over

_KEPT = 4


@dataclass(frozen=True, slots=True)
class _Run:
    before: Snapshot
    after: Snapshot
    place: Place
    day: date
    result: GateResult


class Gatekeeper:
    """Keeps the side that is said now, and the last few results."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._side: tuple[Place, date, Side] | None = None
        self._runs: deque[_Run] = deque(maxlen=_KEPT)

    def judge(
        self, found: Staged, place: Place, now: datetime, live: Search | None = None
    ) -> GateResult:
        """Ask the golden questions before and after; one run at a time."""
        day = place.day(now)
        before, after = replace(found.before, revision=0), replace(found.after, revision=0)
        with self._lock:
            for run in self._runs:
                if (run.before, run.after, run.place, run.day) == (before, after, place, day):
                    return run.result
            side = self._before(before, place, day, live)
            other = Side(after, search_over(after, place, side.search))
            result = compare(side, other, now, day)
            self._runs.append(_Run(before, after, place, day, result))
            return result

    def _before(self, found: Snapshot, place: Place, day: date, live: Search | None) -> Side:
        if self._side is not None:
            of, when, side = self._side
            if (of, when, side.found) == (place, day, found):
                return side
            live = live or side.search
        side = Side(found, search_over(found, place, live), {})
        self._side = (place, day, side)
        return side
