"""Open the database: SQLite, or PostgreSQL by URL; sessions that read and sessions that write."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from config.settings import Settings
from store.faults import StoreError as StoreError
from store.faults import fault_of
from store.marks import marker_from
from store.migrate import upgrade as upgrade
from store.seal import seal_from
from store.types import Seal
from store.urls import database_url

APPLICATION = "qianmen"
"""What our connections call themselves in PostgreSQL's ``pg_stat_activity``."""
_AGAIN_S = 0.02
WAIT_S = 5
"""How long to wait for a connection, for another writer's lock, or for SQLite's."""

# A server that died without a word is noticed within about 15 s also in the middle of a statement.
_POSTGRESQL = {
    "connect_timeout": WAIT_S,
    "application_name": APPLICATION,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_OPTIONS = {
    "timezone": "UTC",
    "lock_timeout": f"{WAIT_S}s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
}


def open_store(settings: Settings) -> Engine:
    """This installation's database, opened with its key to personal data.

    Raises :class:`StoreError` as :func:`open_engine`, :class:`store.seal.SealError`
    ``data_key_invalid``.
    """
    engine = open_engine(settings.database, seal_from(settings.data_key))
    engine.dialect.marker = marker_from(settings)  # type: ignore[attr-defined]  # for store.tables
    return engine


def open_engine(url: str, seal: Seal | None = None) -> Engine:
    """An engine for ``url``; personal data is sealed by ``seal``, stored plainly without one.

    SQLite gets WAL, enforced foreign keys and a 5 s busy wait. PostgreSQL gets time limits on
    everything, so that a dead server is an error within seconds, and each connection is tried
    before it is used, so that one that came back is found. The URL's own parameters win. Values
    are in no error's message: they are citizens' words.

    Raises :class:`StoreError` ``database_url``, ``database_readonly``, ``disk_full`` (the folder of
    the file cannot be made). Nothing is connected yet.
    """
    parsed = database_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = _sqlite(parsed) if is_sqlite else _postgresql(parsed)
    engine.dialect.seal = seal  # type: ignore[attr-defined]  # where store.types finds it
    return engine


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        folder = Path(url.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(fault_of(error), f"the folder {folder} cannot be made") from error
    engine = create_engine(url, connect_args={"timeout": float(WAIT_S)}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    event.listen(engine, "handle_error", _name_readonly)
    engine.dialect.writers = threading.RLock()  # type: ignore[attr-defined]  # where `writing` looks
    return engine


def _postgresql(url: URL) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
    arguments = {name: value for name, value in _POSTGRESQL.items() if name not in url.query}
    arguments["options"] = f"{options} {url.query.get('options', '')}".strip()
    engine = create_engine(
        url, connect_args=arguments, pool_pre_ping=True, pool_size=10, max_overflow=10,
        pool_timeout=WAIT_S, pool_recycle=1800, hide_parameters=True,
    )  # fmt: skip
    event.listen(engine, "connect", _prepare_postgresql)
    _close_latecomers(engine)
    return engine


def _close_latecomers(engine: Engine) -> None:
    """Close what comes back after ``dispose``: a thread may still be in the middle of a query.

    The pool that it belonged to is gone by then, and nobody else would close it.
    """
    disposals = 0

    def disposed(_engine: Engine) -> None:
        nonlocal disposals
        disposals += 1

    def connected(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["disposals"] = disposals

    def came_back(_connection: Any, record: ConnectionPoolEntry) -> None:
        if record.info.get("disposals") != disposals:
            record.close()

    event.listen(engine, "engine_disposed", disposed)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkin", came_back)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that only reads, all of it from one moment; it never waits for a writer."""
    options: dict[str, Any] = {"reading_only": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    reader = engine.execution_options(**options)
    with Session(reader, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end, rolled back on an exception.

    On SQLite writers stand in line from the beginning. On PostgreSQL they work side by side and see
    what others committed meanwhile: whoever reads something and writes what follows from it locks
    the row first (``with_for_update``), or the whole matter (``store.locks``).
    """
    with (
        _in_line(engine),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def _in_line(engine: Engine) -> Iterator[None]:
    """One writer of this process at a time, where the database has one writer anyway.

    SQLite lets those who wait sleep, up to 100 ms at a time, and wakes nobody: with many at once
    most of a citizen's wait would be that. Who has waited too long goes on and is told so by it.
    """
    line: threading.RLock | None = getattr(engine.dialect, "writers", None)
    if line is None:
        yield
        return
    taken = line.acquire(timeout=WAIT_S)
    try:
        yield
    finally:
        if taken:
            line.release()


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """PostgreSQL cannot hold NUL, and nobody can read it: no stranger's byte stops a turn."""
    from psycopg.types.string import StrDumper  # only who uses PostgreSQL loads its driver

    class WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\x00", "") if "\x00" in obj else obj)

    connection.adapters.register_dumper(str, WithoutNul)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL lets readers go on while one process writes; the driver must not open transactions."""
    connection.isolation_level = None
    _to_wal(connection)
    cursor = connection.cursor()
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _to_wal(connection: Any) -> None:
    """Where several open a new file at once, SQLite refuses all but one without waiting."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a read that turns into a write would fail without waiting."""
    reading_only = connection.get_execution_options().get("reading_only", False)
    connection.exec_driver_sql("BEGIN" if reading_only else "BEGIN IMMEDIATE")


def _name_readonly(context: ExceptionContext) -> None:
    """On a read-only volume SQLite only says that it cannot open (its journal beside the file)."""
    error, engine = context.original_exception, context.engine
    folder = Path(engine.url.database).parent if engine and engine.url.database else None
    if folder and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN:
        is_readonly = folder.is_dir() and not os.access(folder, os.W_OK)
        if is_readonly:
            error.sqlite_errorcode = sqlite3.SQLITE_READONLY  # type: ignore[attr-defined]  # sqlite3's
