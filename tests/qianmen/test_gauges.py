"""What the keeper measures of the database, on a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from config.city import City
from config.metrics import exposition
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from qianmen.keeper.gauges import FRESH_S, DatabaseGauges, register
from store.engine import writing
from store.tables import Conversation, HandoffEntry, Outbox, WorkOrder


class Scrape:
    """The gauges on a registry of their own, with clocks that the test moves."""

    def __init__(self, engine: Engine, city: City, now: datetime) -> None:
        self.now, self.seconds = now, 0.0
        self.registry = CollectorRegistry()
        self.gauges = DatabaseGauges(
            engine, city.zone, timeout_s=5, now=lambda: self.now, clock=lambda: self.seconds
        )
        self.registry.register(self.gauges)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def scrape(engine: Engine, city: City, now: datetime) -> Iterator[Scrape]:
    made = Scrape(engine, city, now)
    yield made
    made.gauges.close(wait=True)


def fill(engine: Engine, now: datetime, name: str, urgency: str, minutes: float) -> None:
    """One citizen who has waited that long, with the order."""
    at = now - timedelta(minutes=minutes)
    with writing(engine) as session:
        session.add(Conversation(id=name, channel="web", state="waiting", started_at=at))
        session.flush()
        session.add(
            WorkOrder(
                id=name, key=name, number=name, conversation_id=name, channel="web", kind="投诉",
                urgency=urgency, title="路灯", created_at=at,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            HandoffEntry(
                id=name, conversation_id=name, order_id=name, reason="asked", urgency=urgency,
                created_at=at, changed_at=at,
            )
        )  # fmt: skip
        session.add(Outbox(key=name, topic="order.created", payload={}, created_at=at))


def test_who_waits_and_how_long(engine: Engine, scrape: Scrape) -> None:
    fill(engine, scrape.now, "a", "normal", 5)
    fill(engine, scrape.now, "b", "normal", 15)
    fill(engine, scrape.now, "c", "danger", 1)
    assert scrape.value("qianmen_handoffs_waiting", urgency="normal") == 2
    assert scrape.value("qianmen_handoffs_oldest_seconds", urgency="normal") == 900
    assert scrape.value("qianmen_handoffs_oldest_seconds", urgency="danger") == 60
    assert scrape.value("qianmen_handoffs_waiting", urgency="urgent") == 0
    assert scrape.value("qianmen_database_up") == 1


def test_orders_outbox_and_conversations(engine: Engine, scrape: Scrape) -> None:
    fill(engine, scrape.now, "a", "normal", 5)
    fill(engine, scrape.now, "b", "normal", 24 * 60 + 1)
    assert scrape.value("qianmen_orders_today") == 1
    assert scrape.value("qianmen_orders", kind="投诉", urgency="normal", state="受理") == 2
    assert scrape.value("qianmen_conversations", channel="web", state="waiting") == 1
    assert scrape.value("qianmen_outbox_pending") == 2
    assert scrape.value("qianmen_outbox_oldest_seconds") == (24 * 60 + 1) * 60
    assert scrape.value("qianmen_outbox_last_sent_timestamp_seconds") == 0


def test_an_order_before_the_citys_midnight_is_not_todays(engine: Engine, scrape: Scrape) -> None:
    scrape.now = datetime(2026, 11, 19, 16, 1, tzinfo=UTC)  # 00:01 in the sample city
    fill(engine, scrape.now, "a", "normal", 2)
    assert scrape.value("qianmen_orders_today") == 0


def test_an_answer_is_kept_for_some_seconds(engine: Engine, scrape: Scrape) -> None:
    assert scrape.value("qianmen_outbox_pending") == 0
    fill(engine, scrape.now, "a", "normal", 5)
    assert scrape.value("qianmen_outbox_pending") == 0
    scrape.seconds += FRESH_S
    assert scrape.value("qianmen_outbox_pending") == 1


def test_a_database_without_its_tables_is_down_and_nothing_is_raised(
    engine: Engine, scrape: Scrape
) -> None:
    fill(engine, scrape.now, "a", "normal", 5)
    assert scrape.value("qianmen_handoffs_waiting", urgency="normal") == 1
    with engine.connect() as connection:
        cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TABLE handoff{cascade}")
        connection.commit()
    scrape.seconds += FRESH_S
    assert scrape.value("qianmen_database_up") == 0
    assert scrape.value("qianmen_handoffs_waiting", urgency="normal") == 1, "what was known last"


def test_a_slow_database_costs_a_scrape_no_more_than_the_timeout(
    engine: Engine, city: City, now: datetime
) -> None:
    answer = threading.Event()

    def waiting() -> datetime:
        answer.wait(30)
        return now

    gauges = DatabaseGauges(engine, city.zone, timeout_s=0.05, now=waiting)
    try:
        values = {metric.name: metric for metric in gauges.collect()}
        assert [sample.value for sample in values["qianmen_database_up"].samples] == [0]
        assert len(values) == 1
    finally:
        answer.set()
        gauges.close(wait=True)


def test_the_keepers_page_has_them_and_the_process_itself(
    engine: Engine, city: City, tmp_path: Path
) -> None:
    registry = CollectorRegistry()
    gauges = register(registry, Keeping(Settings(data_dir=tmp_path), city, engine))
    page = exposition(registry)[0].decode()
    gauges.close(wait=True)
    assert "qianmen_database_up 1.0" in page
    assert "process_resident_memory_bytes" in page
