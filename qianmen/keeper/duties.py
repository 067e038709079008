"""All duties of the keeper's, gathered from the modules that define them."""

from __future__ import annotations

from qianmen.keeper import (
    answers,
    attachments,
    links,
    logs,
    orders,
    recordings,
    retention,
    talks,
    trail,
    wechat,
)
from qianmen.keeper.duty import Duty
from qianmen.keeper.watch import Watch


def all_duties(watch: Watch) -> tuple[Duty, ...]:
    """The watch's own, and what logs, recordings, files, retention, audit and answers ask for."""
    return (*watch.duties(), *logs.DUTIES, *recordings.DUTIES, *retention.DUTIES,
            *links.DUTIES, *orders.DUTIES, *trail.DUTIES, *answers.DUTIES,
            *talks.DUTIES, *wechat.DUTIES,
            *attachments.DUTIES)  # fmt: skip
