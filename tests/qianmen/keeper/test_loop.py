"""Duties: done, failing, alone, resting."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from config.city import City
from config.errors import ConfigError
from config.settings import Settings
from qianmen.keeper.duty import Duty, Keeping
from qianmen.keeper.lock import FileLock, lock_for
from qianmen.keeper.loop import Keeper, Terms, code_of, wait_s
from tests.conftest import NOON

EVERY = timedelta(seconds=0.01)
LONG_S = 60.0


class Done:
    """A duty that counts; it fails as often as ``fails`` says."""

    def __init__(self, name: str, fails: int = 0) -> None:
        self.name = name
        self.fails = fails
        self.times: list[datetime] = []
        self.again = threading.Event()

    def work(self, _keeping: Keeping, now: datetime) -> None:
        self.times.append(now)
        if self.fails:
            self.fails -= 1
            raise ConfigError("out_of_order", "broken on purpose")
        if len(self.times) > 2:
            self.again.set()


class FreeLock:
    """A lock that is ours, or somebody else's."""

    def __init__(self, ours: bool = True) -> None:
        self.ours = ours

    def held(self) -> bool:
        return self.ours

    def close(self) -> None:
        pass


@pytest.fixture
def keeping(tmp_path: Path, city: City, engine: Engine) -> Keeping:
    return Keeping(Settings(data_dir=tmp_path), city, engine)


@contextmanager
def kept(
    keeping: Keeping, *duties: Duty, ours: bool = True, trusted: bool = True
) -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry()
    terms = Terms(FreeLock(ours), lambda: trusted, lambda: NOON)
    keeper = Keeper(keeping, duties, terms, registry)
    keeper.start()
    try:
        yield registry
    finally:
        keeper.stop(LONG_S)
        assert not keeper.alive


def value(registry: CollectorRegistry, name: str, duty: str) -> float | None:
    return registry.get_sample_value(f"qianmen_keeper_{name}", {"duty": duty})


def test_a_duty_is_done_again_and_again(keeping: Keeping) -> None:
    done = Done("clean")
    with kept(keeping, Duty("clean", EVERY, done.work)) as registry:
        assert done.again.wait(LONG_S)
    assert set(done.times) == {NOON}
    stamp = value(registry, "duty_last_success_timestamp_seconds", "clean")
    assert stamp == NOON.timestamp()
    assert not value(registry, "duty_failures_total", "clean")


def test_a_failing_duty_is_told_by_its_code_and_stops_no_other(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qianmen.keeper.loop.FIRST_AGAIN_S", 0.01)
    bad, good = Done("bad", fails=2), Done("good")
    with capture_logs() as logs, kept(
        keeping, Duty("bad", EVERY, bad.work), Duty("good", EVERY, good.work)
    ) as registry:  # fmt: skip
        assert good.again.wait(LONG_S)
        assert bad.again.wait(LONG_S)
    assert value(registry, "duty_failures_total", "bad") == 2
    failed = [line for line in logs if line["event"] == "duty_failed"]
    assert [(line["code"], line["duty"]) for line in failed] == [("out_of_order", "bad")] * 2


def test_failures_are_tried_sooner_then_ever_later() -> None:
    assert [wait_s(3600, n) for n in (0, 1, 2, 3, 100)] == [3600, 5, 10, 20, 3600]
    assert wait_s(2, 1) == 2


def test_without_the_lock_only_what_belongs_everywhere_is_done(keeping: Keeping) -> None:
    once, everywhere = Done("once"), Done("everywhere")
    duties = (
        Duty("once", EVERY, once.work),
        Duty("everywhere", EVERY, everywhere.work, everywhere=True),
    )
    with kept(keeping, *duties, ours=False):
        assert everywhere.again.wait(LONG_S)
    assert once.times == []


def test_what_deletes_rests_while_the_clock_is_in_doubt(keeping: Keeping) -> None:
    deleting, other = Done("deleting"), Done("other")
    duties = (
        Duty("deleting", EVERY, deleting.work, deletes=True), Duty("other", EVERY, other.work)
    )  # fmt: skip
    with capture_logs() as logs, kept(keeping, *duties, trusted=False) as registry:
        assert other.again.wait(LONG_S)
    assert deleting.times == []
    assert value(registry, "duty_resting", "deleting") == 1
    assert "clock_in_doubt" in {line.get("code") for line in logs}


def test_what_the_database_says_becomes_its_code() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert code_of(OperationalError("", {}, full)) == "disk_full"
    assert code_of(OSError(28, "No space left on device")) == "disk_full"
    assert code_of(ConfigError("mine", "")) == "mine"
    assert code_of(ValueError("?")) == "duty_failed"


def test_one_keeper_holds_the_lock_until_it_ends(tmp_path: Path, engine: Engine) -> None:
    settings = Settings(data_dir=tmp_path)
    first, second = (lock_for(settings, engine) for _ in range(2))
    try:
        assert first.held()
        assert first.held()
        assert not second.held()
        first.close()
        assert second.held()
        assert not first.held()
    finally:
        first.close()
        second.close()


def test_a_lost_connection_is_a_lost_lock_that_can_be_had_again(
    tmp_path: Path, engine: Engine
) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("a file's lock has no connection")
    lock = lock_for(Settings(data_dir=tmp_path), engine)
    assert lock.held()
    mine = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")
    with engine.connect() as connection:
        pids = set(connection.scalars(mine))
        for pid in pids:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert len(pids) == 1
    with pytest.raises(OperationalError):
        lock.held()
    assert lock.held()
    lock.close()


def test_a_lock_that_cannot_be_made_is_an_error_not_a_yes(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(OSError, match="run"):
        FileLock(tmp_path / "run" / "keeper.lock").held()
