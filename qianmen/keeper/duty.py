"""What a duty of the keeper's is, and what it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from config.city import City
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Keeping:
    """The installation that is kept."""

    settings: Settings
    city: City
    engine: Engine


@dataclass(frozen=True, slots=True)
class Duty:
    """``work`` is done every ``every`` in a thread, given the moment (aware, UTC).

    It must be harmless to do twice. What it raises is logged with its ``code``, and it is done
    again when its time comes. ``deletes``: by age, so that it must not run while the clock is in
    doubt. ``everywhere``: on every host, not only where the keeper holds the lock.
    """

    name: str
    every: timedelta
    work: Callable[[Keeping, datetime], None]
    deletes: bool = False
    everywhere: bool = False
