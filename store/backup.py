"""Copy everything into one file while the system runs: the rows of one moment, and the sound."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, Text, column, select, table
from sqlalchemy.exc import SQLAlchemyError

from sealing.files import sealed_path
from store.archive import Head, Writer, replacing
from store.faults import StoreError
from store.migrate import newest, revision_of, revisions, store_error
from store.rows import RawTable, raw_tables, read_rows

PROGRAM = "qianmen"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What was copied: rows by table; recordings, and those whose file was not there; bytes."""

    revision: str
    rows: dict[str, int]
    recordings: int
    recordings_missing: int
    size: int


def back_up(
    engine: Engine, file: Path, *, now: datetime, recordings: Path | None = None, secret: str = ""
) -> BackedUp:
    """Write ``file`` (mode 0600, whole or not at all); ``recordings`` is their folder if wanted.

    Values are copied as they are stored: what is sealed stays sealed. ``secret`` is the
    installation's; only a mark of it is kept. Writers are not held up.

    Raises :class:`StoreError`: ``backup_unwritable``, ``disk_full``, ``database_newer``,
    ``database_old`` (no tables yet), the other codes of ``store.faults``, ``backup_failed``.
    """
    try:
        with _snapshot(engine) as connection, replacing(file) as out:
            tables = raw_tables(connection)
            head = Head(
                revision=_revision(connection),
                created_at=now.astimezone(UTC).isoformat(),
                program=PROGRAM,
                tables=tables,
                recordings=recordings is not None,
                secret=secret_mark(secret),
                keys=_key_ids(connection, tables),
            )
            writer = Writer(out, head, now.timestamp())
            for raw in tables:
                writer.table(raw.name, read_rows(connection, raw))
            missing = _copy_recordings(connection, tables, writer, recordings) if recordings else 0
            writer.finish()
            return BackedUp(
                revision=head.revision,
                rows={raw.name: writer.sums[raw.name].count for raw in tables},
                recordings=writer.sums["recordings"].count if "recordings" in writer.sums else 0,
                recordings_missing=missing,
                size=out.tell(),
            )
    except SQLAlchemyError as error:
        raise store_error(error, "backup_failed") from error


def secret_mark(secret: str) -> str:
    """By which the same secret is known again; it tells nothing of it. '' without one."""
    if not secret:
        return ""
    return hmac.new(secret.encode(), b"qianmen.backup", hashlib.sha256).hexdigest()[:32]


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction in which everything stays as it is now, however long it takes."""
    is_postgresql = engine.dialect.name == "postgresql"
    options = (
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if is_postgresql else {}
    )
    reader = engine.execution_options(reading_only=True, **options)
    with reader.connect() as connection, connection.begin():
        if is_postgresql:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection


def _revision(connection: Connection) -> str:
    revision = revision_of(connection)
    if not revision:
        raise StoreError("database_old", "the database has no tables yet: qianmen db upgrade")
    if revision not in revisions():
        raise StoreError(
            "database_newer",
            f"the database is on revision {revision}, this program knows {newest()}: make the"
            " backup with the program that runs it",
        )
    return revision


def _key_ids(connection: Connection, tables: tuple[RawTable, ...]) -> tuple[str, ...]:
    if "data_key" not in (raw.name for raw in tables):  # before revision 0004
        return ()
    return tuple(connection.scalars(select(column("id")).select_from(table("data_key"))))


def _copy_recordings(
    connection: Connection, tables: tuple[RawTable, ...], writer: Writer, folder: Path
) -> int:
    """Copy the sound of all calls, and what citizens sent; how many of the files are gone."""
    return sum(
        _copy_files(connection, raw, writer, folder)
        for raw in tables if raw.name in ("recording", "attachment")
    )  # fmt: skip


def _copy_files(connection: Connection, raw: RawTable, writer: Writer, folder: Path) -> int:
    """Copy the files that a table names; how many are gone."""
    wanted = select(column("path", Text)).select_from(table(raw.name)).order_by(column("id"))
    if "deleted_at" in dict(raw.columns):  # from revision 0003
        wanted = wanted.where(column("deleted_at").is_(None))
    root, missing = folder.resolve(), 0
    with connection.execute(wanted, execution_options={"yield_per": 500}) as rows:
        for (path,) in rows:
            plain = (root / path).resolve()
            sealed = sealed_path(plain)
            source = sealed if sealed.is_file() else plain
            if not source.is_relative_to(root) or not source.is_file():
                missing += 1
                continue
            try:
                with source.open("rb") as sound:
                    writer.recording(source.relative_to(root).as_posix(), sound)
            except FileNotFoundError:  # deleted by rule a moment ago
                missing += 1
    return missing
