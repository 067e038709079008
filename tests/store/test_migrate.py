"""The schema's way up and down, on both engines, with rows in every table."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, inspect, text

from store.engine import StoreError, open_engine, reading, upgrade
from store.migrate import Upgraded, migrate, newest, revision_of, revisions, schema_change
from store.tables import Base
from tests.postgres import Cluster
from tests.store.rows import ROWS, everything, fill


@pytest.fixture
def bare(bare_database: str) -> Any:
    """A database without tables."""
    engine = open_engine(bare_database)
    yield engine
    engine.dispose()


def values(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [dict(zip(dict(raw.columns), row, strict=True)) for row in rows]
        for name, (raw, rows) in everything(engine).items()
    }


def includes(later: dict[str, Any], former: dict[str, Any]) -> bool:
    """Whether ``later`` has all rows of ``former``, with the columns that both have."""
    return all(
        {key: one[key] for key in one.keys() & other.keys()}
        == {key: other[key] for key in one.keys() & other.keys()}
        for name in former.keys() & later.keys()
        for one, other in zip(former[name], later[name], strict=True)
    )


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_every_step_up_and_down_keeps_all_rows(bare: Engine) -> None:
    ways = tuple(reversed(revisions()))
    assert ways[0] == "0001"
    former: dict[str, Any] = {}
    for revision in (*ways, *reversed(ways)):
        with schema_change(bare) as connection:
            migrate(connection, revision)
            fill(connection)
        now = values(bare)
        assert all(len(rows) == ROWS for rows in now.values()), revision
        assert includes(now, former), revision
        former = now
    with schema_change(bare) as connection:
        migrate(connection, "base")
    assert inspect(bare).get_table_names() == ["alembic_version"]
    assert upgrade(bare) == Upgraded("", newest())


def test_upgrading_says_from_where_to_where(bare: Engine) -> None:
    with schema_change(bare) as connection:
        migrate(connection, "0001")
        fill(connection)
    former = values(bare)
    assert upgrade(bare) == Upgraded("0001", newest())
    assert upgrade(bare) == Upgraded(newest(), newest())
    assert includes(values(bare), former)
    with reading(bare) as session:
        assert session.execute(text("select count(*) from alembic_version")).scalar() == 1


def test_a_later_programs_schema_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999") as caught:
        upgrade(engine)
    assert caught.value.code == "database_newer"
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": newest()})


def test_an_interrupted_upgrade_leaves_the_old_schema(
    bare: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with schema_change(bare) as connection:
        migrate(connection, "0001")
        fill(connection)
    former = everything(bare)
    done: list[str] = []

    def broken(self: Operations, name: str, *args: Any, **kwargs: Any) -> Any:
        done.append(name)  # the last step of 0004: everything before it was done
        raise KeyboardInterrupt

    monkeypatch.setattr(Operations, "create_index", broken)
    with pytest.raises(KeyboardInterrupt):
        upgrade(bare)
    monkeypatch.undo()
    assert done == ["ix_conversation_started_at"]
    assert everything(bare) == former
    assert upgrade(bare) == Upgraded("0001", newest())


def test_several_that_start_at_once_upgrade_once(bare_database: str) -> None:
    barrier = threading.Barrier(4)

    def start(_: int) -> Upgraded:
        engine = open_engine(bare_database)
        try:
            barrier.wait()
            return upgrade(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        done = sorted(pool.map(start, range(4)), key=lambda one: one.before)
    assert done == [Upgraded("", newest()), *[Upgraded(newest(), newest())] * 3]


def test_rows_that_point_at_nothing_stop_an_upgrade(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    with schema_change(engine) as connection:
        migrate(connection, "0001")
    with sqlite3.connect(tmp_path / "old.sqlite3") as other:
        other.execute(
            "INSERT INTO recording VALUES ('r', 'nobody', 'p', '2026-11-20 00:00:00.000000',"
            " 0, 8000, 2, 1)"
        )
    other.close()
    with pytest.raises(StoreError) as caught:
        upgrade(engine)
    assert caught.value.code == "database_corrupt"
    with reading(engine) as session:
        assert revision_of(session.connection()) == "0001"
    engine.dispose()


def test_tables_of_others_are_left_alone(postgres: Cluster) -> None:
    engine = open_engine(postgres.create("shared"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a varchar(200))"))
        connection.execute(text("CREATE TABLE staff (a int)"))
    with pytest.raises(StoreError) as caught:
        upgrade(engine)
    assert caught.value.code == "database_upgrade"
    assert sorted(inspect(engine).get_table_names()) == ["staff", "theirs"]
    engine.dispose()
