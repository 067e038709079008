"""Danger and news reach the other side, whatever it does; whoever is told is told the truth."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import Engine, select

from config.city import City
from handoff.alarms import open_alarms
from handoff.links import acknowledged, links_of
from qianmen.linksim import Simulator
from store.engine import reading
from store.tables import Delivery, Turn
from tests.qianmen.courier.conftest import KEY, KEYS, courier, endanger, until

Linked = Callable[..., City]
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What does not hang on the database is tried on one."""


def told(engine: Engine, conversation: str = "c-k1") -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(
            select(Turn.text).where(Turn.conversation_id == conversation).order_by(Turn.seq)
        ))  # fmt: skip


def parties(engine: Engine, order: str) -> set[str]:
    return {ack.party for ack in acknowledged(engine, order)}


def delivered(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return set(session.scalars(select(Delivery.state)))


async def test_danger_is_sent_acknowledged_and_told(engine: Engine, linked: Linked) -> None:
    simulator = Simulator(KEYS)
    with simulator.serving() as url:
        city = linked(url)
        async with courier(engine, city):
            order = endanger(engine, city)
            assert told(engine) == []
            await until(lambda: parties(engine, order) == {"110", "gas"})
            await until(lambda: len(told(engine)) == 2)
            await until(lambda: delivered(engine) == {"sent"})
    number = next(got.number for got in simulator.got if got.party == "110")
    assert sorted(told(engine)) == sorted(
        f"{label}已经确认收到您的情况，工单号{number}。" for label in ("公安110", "燃气公司")
    )
    assert open_alarms(engine) == ()
    types = {(got.party, got.type) for got in simulator.got}
    assert {("110", "order.danger"), ("gas", "order.danger"), ("erp", "order.created"),
            ("erp", "order.danger")} <= types  # fmt: skip


@one_database
async def test_one_side_down_the_other_has_it_and_a_person_is_shown(
    engine: Engine, linked: Linked
) -> None:
    simulator = Simulator(KEYS)
    with socket.socket() as nobody, simulator.serving() as url:
        nobody.bind(("127.0.0.1", 0))
        city = linked(url, gas=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        async with courier(engine, city):
            order = endanger(engine, city)
            await until(lambda: parties(engine, order) == {"110"})
            await until(lambda: len(open_alarms(engine)) == 1)
            await until(lambda: len(told(engine)) == 1)
    (alarm,) = open_alarms(engine)
    assert alarm.kind == "link_unacknowledged"
    assert "燃气公司" in alarm.text
    assert "公安110" in told(engine)[0]
    gas = next(link for link in links_of(engine, order) if link.party == "gas")
    assert (gas.state, gas.fault) == ("waiting", "connect_failed")


@one_database
async def test_a_slow_side_holds_up_nobody(engine: Engine, linked: Linked) -> None:
    slow, quick = Simulator(KEYS, "delay", 30), Simulator(KEYS)
    with slow.serving() as far, quick.serving() as url:
        city = linked(url, gas=far, total_s=1)
        async with courier(engine, city):
            order = endanger(engine, city)
            await until(lambda: parties(engine, order) == {"110"})
            await until(lambda: {"timeout"} == {
                link.fault for link in links_of(engine, order) if link.party == "gas"
            })  # fmt: skip
    assert len(told(engine)) <= 1


@one_database
async def test_a_refusal_alarms_and_no_citizen_is_told(engine: Engine, linked: Linked) -> None:
    simulator = Simulator(KEYS, "refuse")
    with simulator.serving() as url:
        city = linked(url)
        async with courier(engine, city):
            endanger(engine, city)
            await until(lambda: len(open_alarms(engine)) == 2)
    assert {alarm.kind for alarm in open_alarms(engine)} == {"link_refused"}
    assert told(engine) == []


@one_database
async def test_a_flaky_side_gets_the_same_id_again(engine: Engine, linked: Linked) -> None:
    simulator = Simulator(KEYS, "flaky")
    with simulator.serving() as url:
        city = linked(url)
        async with courier(engine, city):
            order = endanger(engine, city)
            await until(lambda: parties(engine, order) == {"110", "gas"})
            await until(lambda: delivered(engine) == {"sent"})
    tries = {(got.delivery, got.party): got.tries for got in simulator.got}
    assert set(tries.values()) == {2}


@one_database
async def test_a_wrong_key_and_a_missing_one_are_shown_and_counted(
    engine: Engine, linked: Linked
) -> None:
    def failed(link: str) -> float:
        labels = {"link": link, "outcome": "failed"}
        return REGISTRY.get_sample_value("qianmen_link_tries_total", labels) or 0.0

    before = failed("110"), failed("gas")
    simulator = Simulator({**KEYS, "110": (b"a key that is not the one we have",)})
    with simulator.serving() as url:
        city = linked(url)
        async with courier(engine, city, keys={"110": (KEY,)}):
            order = endanger(engine, city)
            await until(lambda: len(open_alarms(engine)) == 2)
    faults = {link.party: link.fault for link in links_of(engine, order)}
    assert faults == {"110": "http_401", "gas": "key_missing"}
    assert {got.answered for got in simulator.got} == {"signature_wrong"}
    assert failed("110") > before[0]
    assert failed("gas") > before[1]
    assert parties(engine, order) == set()


async def test_couriers_side_by_side_send_each_message_once(engine: Engine, linked: Linked) -> None:
    simulator = Simulator(KEYS)
    with simulator.serving() as url:
        city = linked(url)
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(courier(engine, city))
            orders = [endanger(engine, city, f"k{number}") for number in range(6)]
            await until(lambda: all(parties(engine, one) == {"110", "gas"} for one in orders))
            await until(lambda: delivered(engine) == {"sent"})
            await until(lambda: all(len(told(engine, f"c-k{n}")) == 2 for n in range(6)))
    counts = [got.tries for got in simulator.got]
    assert set(counts) == {1}


@one_database
async def test_nothing_personal_is_logged_or_shown(engine: Engine, linked: Linked) -> None:
    simulator = Simulator(KEYS, "flaky")
    with structlog.testing.capture_logs() as logs, simulator.serving() as url:
        city = linked(url)
        async with courier(engine, city):
            order = endanger(engine, city)
            await until(lambda: parties(engine, order) == {"110", "gas"})
    text = f"{logs}{simulator.got}{open_alarms(engine)}"
    assert "link_tried" in text
    for word in ("13900139000", "煤气味"):
        assert word not in text
