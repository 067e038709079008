"""What the keeper sees by itself, each with a code in the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from structlog.testing import capture_logs

from config.city import City
from config.settings import Settings
from qianmen.keeper import volumes
from qianmen.keeper.__main__ import keep
from qianmen.keeper.duty import Keeping
from qianmen.keeper.page import serving
from qianmen.keeper.watch import Watch, clock_file, confirmation_file
from store.engine import open_engine
from tests.conftest import NOON
from tests.fakes.valkey import valkey
from tests.ports import free_port


@pytest.fixture
def keeping(tmp_path: Path, city: City, engine: Engine) -> Keeping:
    return Keeping(Settings(data_dir=tmp_path), city, engine)


def codes(logs: list[Any]) -> list[str]:
    return [line["code"] for line in logs if "code" in line]


def trusted(settings: Settings) -> bool:
    """Whether a keeper that begins now would trust the clock."""
    return Watch(settings, CollectorRegistry()).clock.trusted


def test_a_full_disk_and_its_end_are_told_once_each(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = CollectorRegistry()
    watch = Watch(keeping.settings, registry)
    real = volumes.look_at
    full: set[str] = set()

    def look_at(name: str, folder: Path) -> volumes.Volume:
        free = 1000 if name in full else 10**12
        return replace(real(name, folder), total=10**13, free=free)

    monkeypatch.setattr(volumes, "look_at", look_at)
    with capture_logs() as logs:
        for names in ((), ("recordings",), ("recordings",), (), ()):
            full = set(names)
            watch.look_at_volumes(keeping, NOON)
    assert codes(logs) == ["disk_full", "volume_ok"]
    assert logs[0]["subject"] == "volume recordings"
    assert registry.get_sample_value("qianmen_disk_free_bytes", {"volume": "data"}) == 10**12


def test_a_jumped_clock_is_told_kept_in_mind_and_settled_by_a_person(keeping: Keeping) -> None:
    registry = CollectorRegistry()
    moments: Iterator[float] = iter([0.0, 10.0, 20.0, 30.0])
    watch = Watch(keeping.settings, registry, monotonic=lambda: next(moments))
    ahead = NOON + timedelta(days=400)
    with capture_logs() as logs:
        watch.look_at_clock(keeping, NOON)
        watch.look_at_clock(keeping, ahead)
    assert codes(logs) == ["clock_jumped"]
    assert logs[0]["jump_s"] == 400 * 86400 - 10
    assert registry.get_sample_value("qianmen_clock_jumps_total") == 1
    assert registry.get_sample_value("qianmen_clock_trusted") == 0
    assert not trusted(keeping.settings)
    confirmation_file(keeping.settings).touch()
    watch.look_at_clock(keeping, ahead + timedelta(seconds=10))
    assert watch.clock.trusted
    assert not confirmation_file(keeping.settings).exists()
    assert trusted(keeping.settings)


def test_a_clock_file_that_cannot_be_written_stops_nothing(keeping: Keeping) -> None:
    clock_file(keeping.settings).parent.write_text("")
    watch = Watch(keeping.settings, CollectorRegistry())
    watch.look_at_clock(keeping, NOON)
    assert watch.clock.trusted


def test_a_lost_redis_and_its_return_are_told(keeping: Keeping, tmp_path: Path) -> None:
    port = free_port()
    watch = Watch(keeping.settings, CollectorRegistry())
    lost = replace(keeping, settings=keeping.settings.model_copy(update={"redis_port": port}))
    with capture_logs() as logs:
        with valkey(tmp_path / "redis", port):
            watch.ask_redis(lost, NOON)
            assert codes(logs) == []
        watch.ask_redis(lost, NOON)
        watch.ask_redis(lost, NOON)
        with valkey(tmp_path / "redis", port):
            watch.ask_redis(lost, NOON)
    assert codes(logs) == ["redis_lost", "redis_back"]


def test_a_lost_database_is_told_by_its_code(keeping: Keeping, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    watch = Watch(keeping.settings, registry)
    (tmp_path / "rubbish").write_bytes(b"this is no database at all" * 100)
    broken = open_engine(f"sqlite:///{tmp_path / 'rubbish'}")
    with capture_logs() as logs:
        watch.ask_database(replace(keeping, engine=broken), NOON)
        watch.ask_database(keeping, NOON)
    broken.dispose()
    assert codes(logs) == ["database_corrupt", "database_back"]
    assert registry.get_sample_value("qianmen_part_up", {"part": "database"}) == 1


def test_the_page_answers(keeping: Keeping) -> None:
    registry = CollectorRegistry()
    Watch(keeping.settings, registry)
    ready: list[str] = []
    with (
        serving("127.0.0.1", 0, registry, lambda: bool(ready)) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", trust_env=False) as client,
    ):
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        ready.append("yes")
        assert client.get("/readyz").status_code == 200
        assert "qianmen_clock_trusted 1.0" in client.get("/metrics").text
        assert client.get("/nothing").status_code == 404
        assert client.post("/metrics").status_code == 501


def test_the_whole_keeper_begins_and_ends(keeping: Keeping) -> None:
    port = free_port()
    settings = keeping.settings.model_copy(update={"keeper_port": port, "redis_port": 1})
    stop = threading.Event()
    thread = threading.Thread(target=keep, args=(settings, stop))
    thread.start()
    try:
        transport = httpx.HTTPTransport(retries=20)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, transport=transport, trust_env=False) as client:
            assert client.get("/livez").status_code == 200
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
