"""Bring the schema to another version: all of it or nothing, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from store.faults import StoreError, fault_of
from store.locks import lock

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_WAIT_S = 60  # another process that starts now may be migrating a large database


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which revision to which; ``before`` is '' for a database that was empty."""

    before: str
    after: str


def upgrade(engine: Engine) -> Upgraded:
    """Bring the schema to the newest version; an error leaves the old schema and all its rows.

    Raises :class:`StoreError`: ``database_newer`` (a later program made this schema), one of
    ``store.faults.CODES``, ``database_upgrade`` for anything else.
    """
    try:
        with schema_change(engine) as connection:
            before = revision_of(connection)
            if before and before not in revisions():
                raise StoreError(
                    "database_newer",
                    f"the database is on revision {before}, made by a later version; this program"
                    f" knows {newest()}: start that version, or restore a backup made before",
                )
            if before != newest():
                migrate(connection, "head")
            return Upgraded(before, newest())
    except SQLAlchemyError as error:
        raise store_error(error, "database_upgrade") from error


def store_error(error: SQLAlchemyError, otherwise: str) -> StoreError:
    """``error`` with its code, or ``otherwise`` where nothing better is known."""
    fault = fault_of(error)
    code = otherwise if fault == "database_error" else fault
    said = str(getattr(error, "orig", None) or error).strip()
    return StoreError(code, said.partition("\n")[0])  # the next lines may quote a row


def revision_of(connection: Connection) -> str:
    """The revision of the schema; '' where there is none."""
    from alembic.migration import MigrationContext  # as in migrate()

    return MigrationContext.configure(connection).get_current_revision() or ""


def revisions() -> tuple[str, ...]:
    """All revisions that this program knows, the newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())


def newest() -> str:
    """The revision that this program works on."""
    return revisions()[0]


def migrate(connection: Connection, target: str) -> None:
    """Up or down to ``target`` in the transaction of ``connection`` (of :func:`schema_change`)."""
    from alembic import command  # half a second that only the upgrading process should pay

    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if _is_down(revision_of(connection), target) else command.upgrade)(
        config, target
    )


def _is_down(current: str, target: str) -> bool:
    known = (*revisions(), "base")  # the newest first
    return current in known and target in known and known.index(target) > known.index(current)


@contextmanager
def schema_change(engine: Engine, *, alone: bool = False) -> Iterator[Connection]:
    """A transaction that may change tables: one at a time, no time limits, undone on any error.

    ``alone``: on SQLite nobody else may have the file open, else :class:`StoreError`
    ``database_in_use`` (on PostgreSQL the caller looks who is there).
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            with _sqlite_change(connection, alone=alone):
                yield connection
        else:
            with _postgresql_change(connection):
                yield connection


@contextmanager
def _postgresql_change(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_S}s'")
        lock(connection, "schema")
        yield


@contextmanager
def _sqlite_change(connection: Connection, *, alone: bool) -> Iterator[None]:
    """SQLite changes a table by making it anew; what points at it must not mind meanwhile.

    The procedure of https://sqlite.org/lang_altertable.html#otheralter: keys are not enforced from
    before the transaction, and checked at its end.
    """
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  # a connection that was just opened
    (wait_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute(f"PRAGMA busy_timeout={0 if alone else _WAIT_S * 1000}")
    try:
        with _begun_alone(connection, driver) if alone else connection.begin():
            yield
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise StoreError("database_corrupt", f"rows of {broken[0]} point at nothing")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
        driver.execute(f"PRAGMA busy_timeout={wait_ms}")
        if alone:
            connection.invalidate()  # only closing the file lets others in again


@contextmanager
def _begun_alone(connection: Connection, driver: Any) -> Iterator[None]:
    """In WAL mode whoever has the file open holds a lock that this mode wants for itself."""
    driver.execute("PRAGMA locking_mode=EXCLUSIVE")
    try:
        transaction = connection.begin()
    except SQLAlchemyError as error:
        if fault_of(error) != "database_locked":
            raise
        raise StoreError(
            "database_in_use", "another process has the database open: stop the front door first"
        ) from None
    with transaction:
        yield


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
