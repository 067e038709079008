"""What the database holds, measured by the keeper: who waits, the orders, the outbox.

Asked when Prometheus asks, in a thread of its own: a database that is slow or gone costs a scrape
no more than a moment, and shows as ``qianmen_database_up`` 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.queue import QueueRules
from handoff.queue.model import OPEN
from qianmen.keeper import linkgauges, queuegauges
from qianmen.keeper.duty import Keeping
from store.engine import reading
from store.tables import Conversation, HandoffEntry, Outbox, WorkOrder

TIMEOUT_S = 2.0
FRESH_S = 10.0
"""Two scrapes within this time are one question to the database."""
SLOW_FRESH_S = 300.0
"""The same for what has to read whole tables."""


@dataclass(frozen=True, slots=True)
class Question:
    """One group of gauges: its names, what it asks, and how long an answer is good for, s."""

    families: Callable[[], Sequence[GaugeMetricFamily]]
    ask: Callable[[Session, datetime, Sequence[GaugeMetricFamily]], None]
    fresh_s: float = FRESH_S


def register(registry: CollectorRegistry, keeping: Keeping) -> DatabaseGauges:
    """Add these gauges to the keeper's page, and what every process measures of itself."""
    gauges = DatabaseGauges(keeping.engine, keeping.city.zone, keeping.city.queue)
    registry.register(gauges)
    if registry is not REGISTRY:
        registry.register(REGISTRY)
    return gauges


class DatabaseGauges(Collector):
    """Asks the questions; answers with what it knows last while the database does not answer."""

    def __init__(
        self,
        engine: Engine,
        zone: tzinfo,
        rules: QueueRules | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._timeout_s = timeout_s
        self._now = now
        self._clock = clock
        self._questions = _questions(zone, rules or QueueRules())
        self._known: list[tuple[float, Sequence[GaugeMetricFamily]] | None]
        self._known = [None] * len(self._questions)
        self._pool = ThreadPoolExecutor(1, "gauges")
        self._asking: Future[None] | None = None

    def describe(self) -> Iterable[Metric]:
        """The names, without asking."""
        for question in self._questions:
            yield from question.families()
        yield _up(ok=False)

    def collect(self) -> Iterable[Metric]:
        """What the database holds; ``qianmen_database_up`` tells whether that is of now."""
        ok = self._ask()
        for known in self._known:
            if known is not None:
                yield from known[1]
        yield _up(ok=ok)

    def close(self, *, wait: bool = False) -> None:
        """Ask no more; ``wait`` until the question under way is answered."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _ask(self) -> bool:
        if self._asking is None or self._asking.done():
            self._asking = self._pool.submit(self._look)
        try:
            self._asking.result(self._timeout_s)
        except Exception:  # noqa: BLE001  # a time-out, or whatever the driver raises: not up
            return False
        return True

    def _look(self) -> None:
        for position, question in enumerate(self._questions):
            known = self._known[position]
            if known is not None and self._clock() - known[0] < question.fresh_s:
                continue
            families = question.families()
            with reading(self._engine) as session:
                question.ask(session, self._now(), families)
            self._known[position] = (self._clock(), families)


def _up(*, ok: bool) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "qianmen_database_up", "1 if the database answered this scrape's questions.", float(ok)
    )


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _questions(zone: tzinfo, rules: QueueRules) -> tuple[Question, ...]:
    def ask_today(session: Session, now: datetime, families: Sequence[GaugeMetricFamily]) -> None:
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        count = select(func.count()).where(WorkOrder.created_at >= midnight)
        families[0].add_metric((), session.scalar(count) or 0)

    return (
        Question(_waiting_families, _ask_waiting),
        Question(queuegauges.families, queuegauges.asker(rules)),
        Question(_outbox_families, _ask_outbox),
        Question(linkgauges.families, linkgauges.ask),
        Question(
            lambda: (_gauge("qianmen_orders_today", "Work orders of this city day."),), ask_today
        ),
        Question(_order_families, _ask_orders, SLOW_FRESH_S),
        Question(_conversation_families, _ask_conversations, SLOW_FRESH_S),
    )


_URGENCIES = ("normal", "urgent", "danger")


def _waiting_families() -> Sequence[GaugeMetricFamily]:
    return (
        _gauge("qianmen_handoffs_waiting", "Citizens who wait for a person.", "urgency"),
        _gauge(
            "qianmen_handoffs_oldest_seconds", "How long the first of them has waited.", "urgency"
        ),
    )


def _ask_waiting(session: Session, now: datetime, families: Sequence[GaugeMetricFamily]) -> None:
    query = (
        select(HandoffEntry.urgency, func.count(), func.min(HandoffEntry.created_at))
        .where(HandoffEntry.state.in_(OPEN))
        .group_by(HandoffEntry.urgency)
    )
    found = {urgency: (count, oldest) for urgency, count, oldest in session.execute(query)}
    for urgency in {*_URGENCIES, *found}:  # those with nobody too: an alert wants a 0
        count, oldest = found.get(urgency, (0, None))
        families[0].add_metric((urgency,), count)
        families[1].add_metric((urgency,), _age(oldest, now))


def _outbox_families() -> Sequence[GaugeMetricFamily]:
    return (
        _gauge("qianmen_outbox_pending", "What others have still to be told."),
        _gauge("qianmen_outbox_oldest_seconds", "How long the first of that has waited."),
        _gauge(
            "qianmen_outbox_last_sent_timestamp_seconds", "When others were told last; 0 never."
        ),
    )


def _ask_outbox(session: Session, now: datetime, families: Sequence[GaugeMetricFamily]) -> None:
    query = select(func.count(), func.min(Outbox.created_at)).where(Outbox.sent_at.is_(None))
    count, oldest = session.execute(query).one()
    families[0].add_metric((), count)
    families[1].add_metric((), _age(oldest, now))
    last = session.scalar(select(func.max(Outbox.sent_at)))
    families[2].add_metric((), last.timestamp() if last is not None else 0)


def _order_families() -> Sequence[GaugeMetricFamily]:
    return (
        _gauge(
            "qianmen_orders", "Work orders, by kind, urgency and state.",
            "kind", "urgency", "state",
        ),
    )  # fmt: skip


def _ask_orders(session: Session, _now: datetime, families: Sequence[GaugeMetricFamily]) -> None:
    _count_by(session, families[0], WorkOrder.kind, WorkOrder.urgency, WorkOrder.state)


def _conversation_families() -> Sequence[GaugeMetricFamily]:
    return (
        _gauge("qianmen_conversations", "Conversations of the last 24 h, by channel and state.",
               "channel", "state"),
    )  # fmt: skip


def _ask_conversations(
    session: Session, now: datetime, families: Sequence[GaugeMetricFamily]
) -> None:
    since = Conversation.started_at >= now - timedelta(days=1)
    _count_by(session, families[0], Conversation.channel, Conversation.state, where=since)


def _count_by(
    session: Session,
    family: GaugeMetricFamily,
    *columns: InstrumentedAttribute[str],
    where: ColumnElement[bool] | None = None,
) -> None:
    query = select(func.count(), *columns).group_by(*columns)
    for row in session.execute(query if where is None else query.where(where)):
        family.add_metric([str(label) for label in row[1:]], row[0])


def _age(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
