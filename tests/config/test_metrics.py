"""What processes count: failures by code in one place, labels that stay few, the page."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import httpx
import pytest
import structlog
from prometheus_client import REGISTRY

from config import logs
from config.errors import ConfigError
from config.listening import SideServer, listen, metrics_route, serving_metrics
from config.metrics import OTHER, Bounded, exposition

pytestmark = pytest.mark.usefixtures("logs_as_they_were")


def failures(event: str, code: str) -> float:
    labels = {"process": "test", "event": event, "code": code}
    return REGISTRY.get_sample_value("qianmen_failures_total", labels) or 0.0


def test_every_warning_and_error_is_counted_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    log = structlog.get_logger()
    before = failures("turn_failed", "store_down"), failures("no_code", "no_code")
    log.error("turn_failed", code="store_down")
    log.warning("no_code")
    log.info("turn_failed", code="store_down")
    assert failures("turn_failed", "store_down") == before[0] + 1
    assert failures("no_code", "no_code") == before[1] + 1
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_threads_of_a_process_carry_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    thread = threading.Thread(target=structlog.get_logger().info, args=("from_a_thread",))
    thread.start()
    thread.join()
    assert json.loads(capsys.readouterr().err)["process"] == "test"


def test_what_is_not_written_is_counted_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test", "error")
    before = failures("quiet", "quiet")
    structlog.get_logger().warning("quiet")
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().err == ""
    assert failures("quiet", "quiet") == before + 1


def test_what_libraries_write_is_one_code(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    before = failures(OTHER, OTHER)
    logging.getLogger("library").error("cannot reach 13800138000 at %s", "host")
    assert failures(OTHER, OTHER) == before + 1
    assert "13800138000" not in capsys.readouterr().err + exposition()[0].decode()


def test_hashes_are_never_taken_for_telephone_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    trace = "abcdef" + "13800138000" + "abcdefabcdefabc"
    logs.configure("test")
    structlog.get_logger().info("x", trace=trace, conversation=f"call-{trace}")
    structlog.get_logger().info("x", trace="13800138000", conversation="call-13800138000")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["trace"], first["conversation"]) == (trace, f"call-{trace}")
    assert "13800138000" not in json.dumps(second)


def test_labels_stay_few() -> None:
    bounded = Bounded(2)
    assert bounded("store_down", "x") == ("store_down", "x")
    assert bounded("13800138000", "我叫张三") == (OTHER, OTHER)
    assert bounded("one_more", "x") == (OTHER, OTHER)
    assert bounded("store_down", "x") == ("store_down", "x")


async def test_the_side_server_shows_the_measurements_and_nothing_else() -> None:
    with listen("127.0.0.1", 0, "QIANMEN_X") as taken:
        port = taken.getsockname()[1]
        async with serving_metrics(taken), httpx.AsyncClient(trust_env=False) as client:
            base = f"http://127.0.0.1:{port}"
            page = await client.get(f"{base}/metrics")
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/plain; version=")
            assert "qianmen_failures_total" in page.text
            assert (await client.get(base)).status_code == 404


async def test_a_port_that_is_taken_names_its_setting() -> None:
    with listen("127.0.0.1", 0, "QIANMEN_X") as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", port, "QIANMEN_KEEPER_PORT")
    assert caught.value.code == "port_in_use"
    assert f"QIANMEN_KEEPER_PORT: 127.0.0.1:{port}" in str(caught.value)


async def test_the_side_server_stops_when_it_is_told() -> None:
    server = SideServer([metrics_route()])
    with listen("127.0.0.1", 0, "QIANMEN_X") as taken:
        task = asyncio.create_task(server.serve(sockets=[taken]))
        server.should_exit = True
        async with asyncio.timeout(60):
            await task
