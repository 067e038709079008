"""A web process in miniature for the chat's tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from config.city import City
from tests.fakes.office import Office


@pytest.fixture
def office(tmp_path: Path, engine: Engine, city: City, now: datetime) -> Office:
    return Office(tmp_path, engine, city, lambda: now)


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    with TestClient(office.app) as client:
        yield client
