"""What every test may use: a fresh database, the sample city, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.city import City, load_city
from config.settings import ROOT
from store.engine import open_engine, upgrade

SAMPLE_CITY = ROOT / "config" / "cities" / "sample"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # a Friday, 12:00 in the sample city


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database of this test's own, on the newest schema."""
    engine = open_engine(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def city() -> City:
    """The sample city."""
    return load_city(SAMPLE_CITY)


@pytest.fixture
def now() -> datetime:
    """The moment at which tests happen."""
    return NOON
