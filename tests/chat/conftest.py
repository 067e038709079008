"""A web process in miniature for the chat's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redis.asyncio as redis
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from config.city import City
from tests.fakes.office import Office
from tests.fakes.valkey import valkey
from tests.ports import free_port


@pytest.fixture
def office(tmp_path: Path, engine: Engine, city: City, now: datetime) -> Office:
    return Office(tmp_path, engine, city, lambda: now)


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    with TestClient(office.app) as client:
        yield client


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of a module's own."""
    port = free_port()
    with valkey(tmp_path_factory.mktemp("valkey") / "redis", port):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[redis.Redis]:
    client = redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()
