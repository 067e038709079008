"""The database: schema, times, transactions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, StatementError

from store.engine import StoreError, open_engine, reading, upgrade, writing
from store.tables import Audit, Base, WorkOrderField


def audit(at: datetime) -> Audit:
    return Audit(at=at, actor="a", action="b", object="", data={})


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    with reading(engine) as session:
        assert session.execute(text("select count(*) from alembic_version")).scalar() == 1


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


def test_a_wrong_url_and_a_broken_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_engine("no url")
    assert caught.value.code == "database_url"
    rubbish = tmp_path / "rubbish.sqlite3"
    rubbish.write_bytes(b"this is no database, but long enough to look like one" * 20)
    engine = open_engine(f"sqlite:///{rubbish}")
    with pytest.raises(StoreError) as broken:
        upgrade(engine)
    assert broken.value.code == "database_corrupt"
    engine.dispose()
