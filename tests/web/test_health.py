"""Alive, ready, and which part is not."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from redis.exceptions import ConnectionError as RedisDown
from sqlalchemy import Engine

from config.city import City
from config.settings import Settings
from tests.fakes.office import Office
from web.health import Probe, check, probes


async def fine() -> None:
    return None


async def hangs() -> None:
    await asyncio.Event().wait()


def broken(error: Exception) -> Probe:
    async def ask() -> None:
        raise error

    return Probe("part", ask)


async def test_every_part_tells_its_state() -> None:
    parts = (Probe("a", fine), Probe("b", hangs))
    assert await check(parts, timeout_s=0.01) == {"a": "ok", "b": "slow"}


@pytest.mark.parametrize("error", [OSError(), httpx.ConnectError("no"), RedisDown()])
async def test_a_part_that_fails_is_down(error: Exception) -> None:
    assert await check((broken(error),)) == {"part": "down"}


async def test_the_real_probes_notice_that_nobody_is_there(engine: Engine, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, redis_port=1, rasa_port=1, actions_port=1, asr_port=1, redis_url=""
    )
    found = await check(probes(settings, engine))
    assert found == {
        "database": "ok", "redis": "down", "rasa": "down", "actions": "down", "asr": "down",
    }  # fmt: skip


@pytest.mark.parametrize(("ask", "status"), [(fine, 200), (broken(OSError()).ask, 503)])
def test_ready_only_when_everything_is(
    tmp_path: Path, engine: Engine, city: City, now: datetime, ask: object, status: int
) -> None:
    probe = Probe("rasa", ask)  # type: ignore[arg-type]  # parametrized
    office = Office(tmp_path, engine, city, lambda: now, probes=(probe,))
    with TestClient(office.app) as client:
        answer = client.get("/readyz")
        assert answer.status_code == status
        assert answer.json()["ready"] is (status == 200)
        assert client.get("/livez").json() == {"status": "ok"}
