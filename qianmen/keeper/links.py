"""Danger that nobody has acknowledged is shown to people, also where the courier is dead."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from handoff.links.book import alarm_overdue
from qianmen.keeper.duty import Duty, Keeping

EVERY = timedelta(seconds=15)
_log = structlog.get_logger(__name__)


def alarm(keeping: Keeping, now: datetime) -> None:
    """Raise the alarms that are due; the desks find them within a second."""
    raised = alarm_overdue(keeping.engine, keeping.city.links, now)
    if raised:
        _log.warning("links_overdue", code="link_unacknowledged", alarms=raised)


DUTIES = (Duty("links", EVERY, alarm),)
