"""What the database holds of links and deliveries, for the keeper's gauges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff.links.linkage import OPEN
from store.tables import Alarm, Delivery, Linkage

_STATES = ("waiting", "sent", "given_up")


def families() -> Sequence[GaugeMetricFamily]:
    """Their names."""
    return (
        GaugeMetricFamily("qianmen_deliveries", "Messages to other systems, by state.",
                          labels=["state"]),
        GaugeMetricFamily("qianmen_linkage", "Orders in danger, by party and state.",
                          labels=["party", "state"]),
        GaugeMetricFamily(
            "qianmen_linkage_unacknowledged_seconds",
            "How long the first order in danger waits for the party's acknowledgement; 0 none.",
            labels=["party"],
        ),
        GaugeMetricFamily(
            "qianmen_link_acknowledged_timestamp_seconds",
            "When the party acknowledged last (Unix time).", labels=["party"],
        ),
        GaugeMetricFamily("qianmen_alarms_open", "What people must see and have not.",
                          labels=["kind"]),
    )  # fmt: skip


def ask(session: Session, now: datetime, found: Sequence[GaugeMetricFamily]) -> None:
    """Fill them."""
    deliveries, links, oldest, last, alarms = found
    states = select(Delivery.state, func.count()).group_by(Delivery.state)
    counts = {row[0]: row[1] for row in session.execute(states)}
    for state in _STATES:
        deliveries.add_metric((state,), counts.get(state, 0))
    out = Linkage.direction == "out"
    for party, state, count in session.execute(
        select(Linkage.party, Linkage.state, func.count()).where(out)
        .group_by(Linkage.party, Linkage.state)
    ):  # fmt: skip
        links.add_metric((party, state), count)
    oldest_open = (
        select(Linkage.party, func.min(Linkage.created_at))
        .where(out, Linkage.state.in_(OPEN)).group_by(Linkage.party)
    )  # fmt: skip
    waiting = {row[0]: row[1] for row in session.execute(oldest_open)}
    for party, at in session.execute(
        select(Linkage.party, func.max(Linkage.acknowledged_at)).where(out).group_by(Linkage.party)
    ):
        since = waiting.get(party)
        oldest.add_metric((party,), max(0.0, (now - since).total_seconds()) if since else 0.0)
        last.add_metric((party,), at.timestamp() if at else 0.0)
    for kind, count in session.execute(
        select(Alarm.kind, func.count()).where(Alarm.seen_at.is_(None)).group_by(Alarm.kind)
    ):
        alarms.add_metric((kind,), count)
