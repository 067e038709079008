"""Orders: what is overdue is urged, supervised, raised; what waited on disk is written."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.draining import drain_and_tell
from config.workdays import announced
from handoff.order.journal import journal_of
from handoff.order.overdue import escalate
from qianmen.keeper.duty import Duty, Keeping

DEADLINES_EVERY = timedelta(minutes=1)
JOURNAL_EVERY = timedelta(seconds=15)
HOLIDAYS_EVERY = timedelta(days=1)
AHEAD = timedelta(days=30)
"""So long before a year begins whose days off are not known, the log says so."""
_log = structlog.get_logger(__name__)


def hasten(keeping: Keeping, now: datetime) -> None:
    """By the city's table, each once."""
    done = escalate(keeping.engine, keeping.city.orders, now)
    if done:
        _log.warning("orders_overdue", code="orders_overdue", orders=len(done))


def write_late(keeping: Keeping, now: datetime) -> None:
    """What waits in this host's journal, once the database is back; who still writes is told."""
    drain_and_tell(keeping.engine, journal_of(keeping.settings), keeping.city, now)


def warn_of_holidays(keeping: Keeping, now: datetime) -> None:
    """Deadlines of a year that the calendar does not know count Monday to Friday."""
    year = (now + AHEAD).astimezone(keeping.city.zone).year
    if year not in announced():
        _log.warning("holidays_unknown", code="holidays_unknown", year=year)


DUTIES = (
    Duty("order_deadlines", DEADLINES_EVERY, hasten),
    Duty("order_journal", JOURNAL_EVERY, write_late, everywhere=True),
    Duty("holidays", HOLIDAYS_EVERY, warn_of_holidays),
)
