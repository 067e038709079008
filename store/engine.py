"""Open the database and bring it to the current schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.settings import Settings
from store.seal import seal_from
from store.types import Seal

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


class StoreError(Exception):
    """The database cannot be used; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def open_store(settings: Settings) -> Engine:
    """This installation's database, opened with its key to personal data.

    Raises :class:`StoreError` ``database_url``, :class:`store.seal.SealError` ``data_key_invalid``.
    """
    return open_engine(settings.database, seal_from(settings.data_key))


def open_engine(url: str, seal: Seal | None = None) -> Engine:
    """An engine for ``url``; personal data is sealed by ``seal``, stored plainly without one.

    SQLite gets WAL, enforced foreign keys and a 5 s busy wait.
    """
    engine = _engine(url)
    engine.dialect.seal = seal  # type: ignore[attr-defined]  # where store.types finds it
    return engine


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        raise StoreError("database_url", "DATABASE_URL is not a database URL") from None
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 5.0})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that only reads; on SQLite it never waits for a writer."""
    reader = engine.execution_options(reading_only=True)
    with Session(reader, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end, rolled back on an exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest version; raises :class:`StoreError` ``database_upgrade``."""
    from alembic import command  # half a second that only the upgrading process should pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise StoreError("database_upgrade", f"the database cannot be upgraded: {error}") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL lets readers go on while one process writes; the driver must not open transactions."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a read that turns into a write would fail without waiting."""
    reading_only = connection.get_execution_options().get("reading_only", False)
    connection.exec_driver_sql("BEGIN" if reading_only else "BEGIN IMMEDIATE")
