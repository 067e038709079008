"""Answers whose last day is near: a warning every day, in the log and by a metric."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge

from knowledge.history import WARN_DAYS, expiring
from qianmen.keeper.duty import Duty, Keeping
from store.engine import reading

EVERY = timedelta(days=1)
_log = structlog.get_logger(__name__)
ending = Gauge(
    "qianmen_knowledge_answers_ending",
    "Published answers whose last day lies within 30 days and that nothing follows.",
)


def warn_of_endings(keeping: Keeping, now: datetime) -> None:
    """One line of the log an answer, soonest first; harmless to do twice."""
    today = now.astimezone(keeping.city.zone).date()
    with reading(keeping.engine) as session:
        found = expiring(session, today)
    ending.set(len(found))
    for one in found:
        last = one.version.wording.valid_to
        _log.warning("answer_ending", code="answer_ending", answer=one.version.key.id,
                     days=one.days, last_day=last.isoformat() if last else "",
                     warned_within=WARN_DAYS)  # fmt: skip


DUTIES = (Duty("answers_ending", EVERY, warn_of_endings),)
