"""The queue as Prometheus sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import Engine

from config.city import City
from config.queue import QueueRules
from handoff.queue import service
from qianmen.keeper.gauges import FRESH_S, DatabaseGauges
from tests.handoff.queue.conftest import Hotline


class Scrape:
    """A page of the keeper's, with a clock that tests move."""

    def __init__(self, line: Hotline, city: City) -> None:
        self.seconds = 0.0
        self._registry = CollectorRegistry()
        self.gauges = DatabaseGauges(
            line.engine, city.zone, QueueRules(), timeout_s=5, now=lambda: line.now,
            clock=lambda: self.seconds,
        )  # fmt: skip
        self._registry.register(self.gauges)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(name, labels)


@pytest.fixture
def line(engine: Engine, now: datetime) -> Hotline:
    return Hotline(engine, now, QueueRules())


@pytest.fixture
def scrape(line: Hotline, city: City) -> Iterator[Scrape]:
    made = Scrape(line, city)
    yield made
    made.gauges.close(wait=True)


def test_the_queue_of_now_and_of_today(line: Hotline, scrape: Scrape) -> None:
    line.hire("li")
    line.hire("wang", status="break")
    answered = line.call("c1")
    line.dispatch()
    line.take(answered)
    line.pass_s(10, "li")
    line.call("c2", phone="13900000002")
    line.call("c3", channel="web")
    line.call("c4", phone="13900000004")
    line.end("c4")
    line.pass_s(10, "li")
    assert scrape("qianmen_queue_waiting", channel="call") == 1
    assert scrape("qianmen_queue_waiting", channel="chat") == 1
    assert scrape("qianmen_queue_longest_wait_seconds", channel="call") == 10
    assert [
        scrape("qianmen_queue_today", channel="call", outcome=outcome)
        for outcome in ("entered", "answered", "in_time", "abandoned")
    ] == [3, 1, 1, 1]
    assert scrape("qianmen_queue_agents", status="online") == 1
    assert scrape("qianmen_queue_agents", status="offline") == 1  # 20 s without a sign
    assert scrape("qianmen_callbacks_open", due="later") == 1
    assert scrape("qianmen_callbacks_open", due="overdue") == 0
    assert scrape("qianmen_handoffs_waiting", urgency="normal") == 2
    assert scrape("qianmen_database_up") == 1
    line.pass_s(line.rules.callbacks.within_s, "li")
    scrape.seconds += FRESH_S
    assert scrape("qianmen_callbacks_open", due="overdue") == 1


def test_what_came_of_offers_is_counted(line: Hotline) -> None:
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("qianmen_queue_offers_total", {"outcome": outcome}) or 0

    before = {name: count(name) for name in ("offered", "declined", "accepted", "lapsed")}
    line.hire("li")
    handoff = line.call("c1")
    line.dispatch()
    service.decline(line.engine, line.entry(handoff).offer, "li", line.now)
    line.pass_s(line.rules.rest_s, "li")
    line.dispatch()
    line.take(handoff)
    line.pass_s(60, "li")
    line.dispatch()
    gained = {name: count(name) - value for name, value in before.items()}
    assert gained == {"offered": 2, "declined": 1, "accepted": 1, "lapsed": 0}
