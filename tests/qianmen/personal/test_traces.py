"""Rasa's memory is forgotten in Redis, and in the file that Redis writes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import redis

from qianmen.keeper.duty import Keeping
from qianmen.personal.deeds import By
from qianmen.personal.erase import erase
from qianmen.personal.traces import forget_trackers
from qianmen.processes import processes
from tests.fakes.orders import CALL, CHAT, PHONE
from tests.ports import free_port
from tests.qianmen.personal.conftest import fill

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def with_redis(keeping: Keeping) -> Iterator[Keeping]:
    """The embedded Valkey, started as ``qianmen up`` starts it."""
    update = {"redis_url": "", "redis_port": free_port()}
    kept = replace(keeping, settings=keeping.settings.model_copy(update=update))
    (process,) = (one for one in processes(kept.settings) if one.name == "redis")
    (kept.settings.data_dir / "redis").mkdir()
    valkey = subprocess.Popen(process.argv, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not forget_trackers(kept.settings, "nobody"):
            assert time.monotonic() < until
            time.sleep(0.02)
        yield kept
    finally:
        valkey.terminate()
        valkey.wait(20)


def test_redis_and_its_file_forget(with_redis: Keeping) -> None:
    fill(with_redis, NOW)
    client = redis.from_url(with_redis.settings.redis)
    for talk in (CALL, CHAT):
        client.set(f"qianmen:tracker:{talk}", f"what was said in {talk}")
    files = with_redis.settings.data_dir / "redis"

    def written() -> bytes:
        return b"".join(path.read_bytes() for path in files.rglob("*") if path.is_file())

    assert f"what was said in {CALL}".encode() in written()
    done = erase(with_redis, PHONE, By("王芳", "root"), NOW + timedelta(days=2), orders="all")
    assert done.left == []
    assert client.get(f"qianmen:tracker:{CALL}") is None
    assert f"what was said in {CALL}".encode() not in written()
    assert f"what was said in {CHAT}".encode() in written()
    client.close()
