"""What every test may use: a fresh database, the sample city, a clock that stands still.

Whatever uses a database runs twice, on SQLite and on PostgreSQL (skipped where its programs are
missing; ``scripts/system-packages.sh`` says so).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as examples
from playwright.sync_api import expect
from sqlalchemy import Engine

from config.city import City, load_city
from config.settings import ROOT, Settings
from handoff import passwords
from store import engine as engines
from store.engine import open_engine, upgrade
from tests.postgres import Cluster, cluster, programs

SAMPLE_CITY = ROOT / "config" / "cities" / "sample"
LEARNED = Settings().data_dir.resolve() / "learned"
"""Where the installation keeps its trained classifiers: the sample city's are trained once."""
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # a Friday, 12:00 in the sample city

expect.set_options(timeout=30_000)  # ms; a page on a busy machine, five seconds are not enough
# The same examples in every run, and no time limits: a busy machine is no fault of what is tested.
examples.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
examples.load_profile("same")


_SHOWN_ALIKE = (
    "scenarios/test_pages", "web/test_account", "web/test_citizen", "web/test_health",
    "web/test_https", "web/test_knowledge_pages", "web/test_lockout", "web/test_oidc",
    "web/test_people", "web/test_rights", "web/test_security", "web/test_sessions",
    "web/test_staff", "web/agents/test_desk.py", "web/agents/test_desk_calls",
)  # fmt: skip
"""Pages and sessions over queries that are tried on both databases elsewhere: one is enough."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what PostgreSQL could do otherwise; whole processes get a second try.

    They answer each other in real time on a machine that others use too. Who needed the second try
    is named at the end of the run (``RERUN``): it is a fault to look into, not one to live with.
    """
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    again = [item for item in items if _is_shown_again(item)]
    if again:
        config.hook.pytest_deselected(items=again)
        items[:] = [item for item in items if not _is_shown_again(item)]


def _is_shown_again(item: pytest.Item) -> bool:
    file = item.path.as_posix()
    return "[postgresql" in item.name and any(part in file for part in _SHOWN_ALIKE)


@pytest.fixture(scope="session", autouse=True)
def real_hasher() -> Iterator[PasswordHasher]:
    """What hashes passwords elsewhere: a tenth of a second each; here the least argon2 takes."""
    real = passwords._hasher
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", quick)
        yield real


@pytest.fixture(scope="session", autouse=True)
def unsynced_sqlite() -> Iterator[None]:
    """A commit does not wait for the disk (8 ms): when the machine fails a test's rows may be lost.

    When a process is killed they may not, and are not: that is the system's business.
    """
    prepare = engines._prepare_sqlite

    def prepare_quickly(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF").close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_prepare_sqlite", prepare_quickly)
        yield


@pytest.fixture
def at_full_strength(real_hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as those of the staff are."""
    monkeypatch.setattr(passwords, "_hasher", real_hasher)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """This session's PostgreSQL."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL's programs are not installed")
    with cluster(folder) as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables: copying takes a tenth of making one."""
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test's own, on the newest schema, without rows."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            file = tmp_path / "test.sqlite3"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
            yield f"sqlite:///{file}"
        else:
            postgres: Cluster = request.getfixturevalue("postgres")
            yield stack.enter_context(postgres.lent())


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of this test's own that has no tables yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bare.sqlite3'}"
    postgres: Cluster = request.getfixturevalue("postgres")
    return postgres.create("bare")


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """A database of this test's own, on the newest schema, opened."""
    engine = open_engine(database)
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


@pytest.fixture
def logs_as_they_were() -> Iterator[None]:
    """Logging is set for a whole process, and a command under test is none: it is put back."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    level = logging.getLogger().level
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
