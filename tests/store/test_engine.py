"""The database: URLs, times, transactions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, InternalError, StatementError

from config.settings import Settings
from store.engine import StoreError, open_engine, open_store, reading, writing
from store.faults import CODES
from store.tables import Audit, WorkOrderField
from store.urls import database_url, shown
from tests.postgres import Cluster


def audit(at: datetime) -> Audit:
    return Audit(at=at, actor="a", action="b", object="", data={})


def test_times_come_back_aware_and_equal(engine: Engine) -> None:
    at = datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    with writing(engine) as session:
        session.add(audit(at))
    with reading(engine) as session:
        row = session.get_one(Audit, 1)
        assert row.at == at
        assert row.at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError), writing(engine) as session:
        session.add(audit(datetime(2026, 11, 20)))  # noqa: DTZ001  # that is the case


def test_an_exception_rolls_everything_back(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as session:
            session.add(audit(datetime.now(UTC)))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(engine) as session:
        assert session.get(Audit, 1) is None


def test_foreign_keys_hold(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as session:
        session.add(WorkOrderField(order_id="none", name="what", value="", at=datetime.now(UTC)))


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with writing(engine) as writer:
        writer.add(audit(datetime.now(UTC)))
        writer.flush()
        with reading(engine) as session:
            assert session.get(Audit, 1) is None


def test_a_reader_sees_one_moment(engine: Engine) -> None:
    with reading(engine) as session:
        assert session.scalars(select(Audit)).all() == []
        with writing(engine) as writer:
            writer.add(audit(datetime.now(UTC)))
        assert session.scalars(select(Audit)).all() == []


def test_a_reader_cannot_write_on_postgresql(postgres: Cluster) -> None:
    with postgres.lent() as url:
        engine = open_engine(url)
        with pytest.raises(InternalError), reading(engine) as session:
            session.add(audit(datetime.now(UTC)))
        engine.dispose()


def test_what_was_said_is_in_no_errors_message(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as caught, writing(engine) as session:
        session.add(
            WorkOrderField(order_id="none", name="phone", value="13800138000", at=datetime.now(UTC))
        )
    assert "13800138000" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:////a/b.sqlite3", "sqlite"),
        ("sqlite+pysqlite:////a/b.sqlite3", "sqlite"),
        ("postgres://u:p@h/db", "postgresql+psycopg"),
        ("postgresql://u:p@h:5433/db", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/db", "postgresql+psycopg"),
        (" postgresql://u:p%40%2F@h/db?sslmode=require \n", "postgresql+psycopg"),
    ],
)
def test_urls_as_cities_write_them(text: str, driver: str) -> None:
    assert database_url(text).drivername == driver


@pytest.mark.parametrize(
    "text",
    [
        "", "no url", "postgresql://u:geheim@h:port/db", "mysql://u:geheim@h/db",
        "postgresql+psycopg2://u:geheim@h/db", "postgresql+asyncpg://u:geheim@h/db",
        "postgresql://u:geheim@h", "sqlite+aiosqlite:///geheim", "://", "oracle+geheim://",
        "a" * 9999, "postgresql://u:geheim@[::1/db", "\x00postgresql://u:geheim@h/db",
    ],
)  # fmt: skip
def test_urls_that_are_none_are_named_without_their_password(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_engine(text)
    assert caught.value.code == "database_url"
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert shown(text) == "?"


def test_a_shown_url_hides_its_password() -> None:
    shown_url = shown("postgres://city:geheim@db.local:5432/front?password=geheim2")
    assert shown_url == "postgresql+psycopg://city:***@db.local:5432/front"
    assert "geheim" not in repr(open_engine("postgres://city:geheim@db.local/front"))


def test_the_url_s_own_parameters_win() -> None:
    engine = open_engine("postgres://u@h/db?connect_timeout=1&options=-c%20statement_timeout%3D1s")
    _, arguments = engine.dialect.create_connect_args(engine.url)
    assert arguments["connect_timeout"] == "1"


def test_postgresql_has_time_limits_and_utc(postgres: Cluster) -> None:
    database = postgres.url()
    engine = open_engine(f"{database}&options=-c%20statement_timeout%3D7s")
    with reading(engine) as session:

        def show(name: str) -> Any:
            return session.execute(text(f"SHOW {name}")).scalar()

        assert show("statement_timeout") == "7s"
        assert show("lock_timeout") == "5s"
        assert show("timezone") == "UTC"
        assert show("application_name") == "qianmen"
        assert show("transaction_read_only") == "on"
    engine.dispose()


def test_the_installations_database(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="mysql://u:geheim@h/db")
    with pytest.raises(StoreError, match="postgresql://"):
        open_store(settings)
    engine = open_store(Settings(data_dir=tmp_path / "deep" / "er", database_url=""))
    assert (tmp_path / "deep" / "er").is_dir()
    engine.dispose()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        open_store(Settings(data_dir=tmp_path / "file" / "data", database_url=""))
    assert caught.value.code in CODES


def test_what_comes_back_after_the_end_is_closed(engine: Engine) -> None:
    connection = engine.connect()
    driver = connection.connection.driver_connection
    assert driver is not None
    engine.dispose()
    connection.close()
    if engine.dialect.name == "postgresql":
        assert driver.closed
    with engine.connect() as again:  # a disposed engine is a fresh one
        assert again.scalar(text("SELECT 1")) == 1
