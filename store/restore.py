"""Put a backup into a database of either engine: all of it, or the database stays as it was."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from store.archive import Head, Piece, Reader, Sound, corrupt, opened, verified
from store.engine import APPLICATION
from store.faults import StoreError, fault_of
from store.migrate import migrate, newest, revision_of, revisions, schema_change, store_error
from store.rows import (
    Kind,
    RawTable,
    continue_ids,
    count_rows,
    raw_tables,
    reflect,
    write_rows,
)
from store.tables import Audit

_READ = 256 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back; ``before`` is the backup's revision, ``after`` the database's now.

    ``erased``: how many citizens the database that was replaced had erased since the backup, by its
    audit: what is known of them is back.
    """

    head: Head
    before: str
    after: str
    rows: dict[str, int]
    recordings: int
    erased: int = 0


def restore(engine: Engine, file: Path, *, recordings: Path, force: bool = False) -> Restored:
    """Check ``file`` as a whole, then load it in one transaction; ``recordings`` is their folder.

    ``force`` empties a database that has rows. An older backup is upgraded afterwards. Nobody else
    may have the database open.

    Raises :class:`StoreError`: ``backup_missing``, ``backup_corrupt``, ``backup_newer``,
    ``database_not_empty``, ``database_in_use``, ``database_newer``, ``recordings_unwritable``, the
    codes of ``store.faults``, ``restore_failed``. The database is then as it was before.
    """
    head = verified(file)
    if head.revision not in revisions():
        raise StoreError(
            "backup_newer",
            f"the backup is of revision {head.revision}, this program knows {newest()}: restore it"
            " with the version that made it, or a later one",
        )
    try:
        with schema_change(engine, alone=True) as connection:
            _only_we(connection)
            erased = _make_room(connection, head, force=force)
            with _staging(recordings) as stage:
                rows, sounds = _load(connection, file, stage)
                migrate(connection, "head")
                _place(stage, recordings)
            return Restored(head, head.revision, newest(), rows, sounds, erased)
    except SQLAlchemyError as error:
        raise store_error(error, "restore_failed") from error


def _only_we(connection: Connection) -> None:
    """A running front door would go on with rows that are no longer there."""
    if connection.dialect.name != "postgresql":
        return  # schema_change holds the file alone
    others = connection.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = :name AND pid <> pg_backend_pid()"
        ),
        {"name": APPLICATION},
    )
    if others:
        raise StoreError("database_in_use", f"{others} connections of the front door are open")


def _make_room(connection: Connection, head: Head, *, force: bool) -> int:
    """The empty tables of the backup's revision; how many citizens were erased since then."""
    revision = revision_of(connection)
    if revision and revision not in revisions():
        raise StoreError("database_newer", f"the database is on the later revision {revision}")
    ours = reflect(connection)
    filled = [one.name for one in ours if count_rows(connection, one.name)]
    if filled and not force:
        raise StoreError(
            "database_not_empty",
            f"the database has rows in {', '.join(filled)}: --force drops them",
        )
    erased = _erased_since(connection, head) if Audit.__tablename__ in filled else 0
    for one in reversed(ours):
        one.drop(connection)
    connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    migrate(connection, head.revision)
    return erased


def _erased_since(connection: Connection, head: Head) -> int:
    try:
        moment = datetime.fromisoformat(head.created_at)
    except ValueError:
        raise corrupt("its time cannot be read") from None
    erased = select(func.count(Audit.object.distinct())).where(
        Audit.action == "citizen_erased", Audit.at > moment.replace(tzinfo=moment.tzinfo or UTC)
    )
    return connection.scalar(erased) or 0


def _load(connection: Connection, file: Path, stage: Path) -> tuple[dict[str, int], int]:
    with opened(file) as reader:
        tables = {raw.name: raw for raw in raw_tables(connection)}
        if _shapes(reader.head.tables) != _shapes(tables.values()):
            raise corrupt("its tables are not those of its revision")
        sounds = _write_parts(connection, reader, stage)
        for raw in tables.values():
            continue_ids(connection, raw)
        return {name: count_rows(connection, name) for name in tables}, sounds


def _shapes(tables: Iterable[RawTable]) -> dict[str, dict[str, Kind]]:
    return {raw.name: dict(raw.columns) for raw in tables}


def _write_parts(connection: Connection, reader: Reader, stage: Path) -> int:
    """All rows to the database, all sound to ``stage``; how many recordings."""
    tables = {raw.name: raw for raw in reader.head.tables}
    sounds = 0
    for part in reader.parts():
        if isinstance(part, Piece):
            try:
                write_rows(connection, tables[part.table], part.rows)
            except ValueError as error:
                raise corrupt(str(error)) from None
        else:
            _save(part, stage)
            sounds += 1
    return sounds


def _save(sound: Sound, stage: Path) -> None:
    target = stage / sound.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while data := sound.read(_READ):
                file.write(data)
    except FileExistsError:
        raise corrupt(f"{sound.path} is in it twice") from None
    except OSError as error:
        raise _unwritable(target, error) from error


@contextmanager
def _staging(recordings: Path) -> Iterator[Path]:
    """A folder beside the recordings, on their file system; gone afterwards."""
    try:
        recordings.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".restore-", dir=recordings))
    except OSError as error:
        raise _unwritable(recordings, error) from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _place(stage: Path, recordings: Path) -> None:
    """Just before the commit: files without rows do no harm, rows without files would."""
    for source in sorted(path for path in stage.rglob("*") if path.is_file()):
        target = recordings / source.relative_to(stage)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from error


def _unwritable(path: Path, error: OSError) -> StoreError:
    code = "disk_full" if fault_of(error) == "disk_full" else "recordings_unwritable"
    return StoreError(code, f"{path} cannot be written: {error.strerror}")
