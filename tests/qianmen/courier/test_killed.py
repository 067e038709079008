"""kill -9 of the courier's process, and how it starts and ends."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from config.city import City, load_city
from config.settings import ROOT, Settings
from handoff.links import acknowledged, links_of
from qianmen.linksim import Simulator
from store.engine import open_store, upgrade
from tests.ports import free_port
from tests.qianmen.courier.conftest import KEY, endanger
from tests.scenarios.front_door import clean_environment

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """The far side's port, on which nobody answers yet."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


@pytest.fixture
def settings(tmp_path: Path, far: socket.socket) -> Settings:
    """An installation whose 110 is that port; a lease lasts six seconds."""
    city = tmp_path / "city"
    shutil.copytree(ROOT / "config" / "cities" / "sample", city)
    party = {"name": "110", "label": "公安110", "allow_private": True,
             "url": f"http://127.0.0.1:{far.getsockname()[1]}/110"}  # fmt: skip
    links = {"parties": [party], "connect_s": 0.5, "total_s": 0.5, "danger_again_s": [0.2]}
    (city / "links.yaml").write_text(yaml.safe_dump(links), "utf-8")
    port = free_port()
    return Settings(
        data_dir=tmp_path / "var", city=city, courier_port=port, redis_url="redis://127.0.0.1:1/0",
        secret_key="a key that only tests know", link_keys=f"110={KEY.decode().replace(' ', '_')}",
    )  # fmt: skip


@pytest.fixture
def store(settings: Settings) -> Iterator[Engine]:
    engine = open_store(settings)
    upgrade(engine)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def started(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "qianmen.courier"], cwd=ROOT, text=True,
        env=clean_environment() | settings.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(true: Callable[[], bool], within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def ready(settings: Settings) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{settings.courier_port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@pytest.mark.slow
def test_killed_between_claim_and_answer_the_next_one_sends_it_under_the_same_id(
    settings: Settings, store: Engine, far: socket.socket
) -> None:
    city: City = load_city(settings.city)
    order = endanger(store, city)
    with started(settings) as process:
        connection, _ = far.accept()  # claimed, sent, and never answered
        with connection:
            asked = connection.recv(65536)
            process.kill()
            process.wait()
    (link,) = links_of(store, order)
    assert (link.state, link.tries) == ("waiting", 1)
    assert acknowledged(store, order) == ()
    port = far.getsockname()[1]
    far.close()
    simulator = Simulator({"110": (KEY.replace(b" ", b"_"),)})
    with simulator.serving(port=port), started(settings) as process:
        until(lambda: bool(acknowledged(store, order)))
        until(lambda: ready(settings))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    (got,) = simulator.got
    assert f"qianmen-delivery: {got.delivery}" in asked.decode().lower()
    (link,) = links_of(store, order)
    assert (link.state, link.tries) == ("acknowledged", 2)


def test_it_cannot_start_with_broken_keys_or_on_a_taken_port(settings: Settings) -> None:
    broken = settings.model_copy(update={"link_keys": "110=short"})
    with started(broken) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "settings_invalid" in out
    assert "short" not in out.replace("shorter", "")
    with socket.create_server(("127.0.0.1", settings.courier_port)), started(settings) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "port_in_use" in out
    assert "Traceback" not in out
