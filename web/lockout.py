"""When a login is locked: five wrong tries in a quarter of an hour lock it for as long. Pure."""

from __future__ import annotations

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
