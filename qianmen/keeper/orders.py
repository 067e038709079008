"""Orders: what is overdue is urged, supervised, raised; what waited on disk is written."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot import history, records
from config.workdays import announced
from handoff.order.journal import STALE, Drained, journal_of
from handoff.order.overdue import escalate
from qianmen.keeper.duty import Duty, Keeping
from turns.replies import Say

DEADLINES_EVERY = timedelta(minutes=1)
JOURNAL_EVERY = timedelta(seconds=15)
HOLIDAYS_EVERY = timedelta(days=1)
AHEAD = timedelta(days=30)
"""So long before a year begins whose days off are not known, the log says so."""
_LISTENING = ("bot", "waiting")
"""Whom a person has, that person tells."""
_log = structlog.get_logger(__name__)


def hasten(keeping: Keeping, now: datetime) -> None:
    """By the city's table, each once."""
    done = escalate(keeping.engine, keeping.city.orders, now)
    if done:
        _log.warning("orders_overdue", code="orders_overdue", orders=len(done))


def write_late(keeping: Keeping, now: datetime) -> None:
    """What waits in this host's journal, once the database is back; who still writes is told."""
    for done in journal_of(keeping.settings).drain(keeping.engine, now, keeping.city):
        _tell_number(keeping, done, now)


def _tell_number(keeping: Keeping, done: Drained, now: datetime) -> None:
    """The number that was to follow. Callers have hung up: the alarm asks people to tell them."""
    talk = done.kept.draft.conversation
    state = history.read_state(keeping.engine, talk)
    listens = state is not None and state.channel != "phone" and state.state in _LISTENING
    if not listens or now - done.kept.at > STALE:
        return
    say = Say(
        f"{done.written.id}.number",
        keeping.city.prompts.fill("order_done", number=done.written.number),
    )
    if all(told.reply.id != say.id for told in history.told_after(keeping.engine, talk, 0)):
        records.commit_told(keeping.engine, talk, (say,), speaker="system", at=now)


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
