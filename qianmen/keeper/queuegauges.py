"""What the database holds of the queue, for the keeper's gauges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue.callbacks import UNDONE
from handoff.queue.model import OPEN
from handoff.queue.rows import seats
from handoff.queue.views import colleague, goals
from store.tables import Callback, HandoffEntry

_STATUSES = ("online", "busy", "break", "wrapup", "offline")


def families() -> Sequence[GaugeMetricFamily]:
    """Their names."""
    return (
        GaugeMetricFamily("qianmen_queue_waiting", "Citizens who have no person yet.",
                          labels=["channel"]),
        GaugeMetricFamily("qianmen_queue_longest_wait_seconds", "The longest of them.",
                          labels=["channel"]),
        GaugeMetricFamily(
            "qianmen_queue_today",
            "Citizens of this city day: entered, answered, in_time, abandoned.",
            labels=["channel", "outcome"],
        ),
        GaugeMetricFamily("qianmen_queue_agents", "Agents who signed in, by status.",
                          labels=["status"]),
        GaugeMetricFamily("qianmen_callbacks_open", "Citizens to be called back.", labels=["due"]),
    )  # fmt: skip


def asker(
    rules: QueueRules,
) -> Callable[[Session, datetime, Sequence[GaugeMetricFamily]], None]:
    """Fills them by the city's rules."""

    def ask(session: Session, now: datetime, found: Sequence[GaugeMetricFamily]) -> None:
        _waiting(session, now, found[0], found[1])
        for channel, goal in zip(("call", "chat"), goals(session, now, rules), strict=True):
            for outcome, count in (
                ("entered", goal.entered), ("answered", goal.answered),
                ("in_time", goal.within), ("abandoned", goal.abandoned),
            ):  # fmt: skip
                found[2].add_metric((channel, outcome), count)
        status = Counter(colleague(seat, rules, now).status for seat in seats(session, ()))
        for name in _STATUSES:
            found[3].add_metric((name,), status[name])
        _callbacks(session, now, found[4])

    return ask


def _waiting(
    session: Session, now: datetime, count: GaugeMetricFamily, longest: GaugeMetricFamily
) -> None:
    rows = session.execute(
        select(HandoffEntry.channel, HandoffEntry.created_at).where(HandoffEntry.state.in_(OPEN))
    ).all()
    for channel in ("call", "chat"):
        since = [at for name, at in rows if (name == PHONE) == (channel == "call")]
        count.add_metric((channel,), len(since))
        longest.add_metric((channel,), (now - min(since)).total_seconds() if since else 0.0)


def _callbacks(session: Session, now: datetime, family: GaugeMetricFamily) -> None:
    undone = select(func.count()).select_from(Callback).where(Callback.state.in_(UNDONE))
    everybody = session.scalar(undone) or 0
    late = session.scalar(undone.where(Callback.due_at < now)) or 0
    family.add_metric(("overdue",), late)
    family.add_metric(("later",), everybody - late)
