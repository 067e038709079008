"""The recordings' folder: seal what a crash left plain, delete what belongs to no conversation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select

from qianmen.keeper.duty import Duty, Keeping
from sealing.files import SUFFIX, seal_file
from sealing.keys import keyring
from store.engine import reading
from store.tables import Recording

SETTLED = timedelta(minutes=10)
"""A file that was not written to for so long belongs to no running call, if its call has ended."""
ABANDONED = timedelta(days=1)
"""… or whatever the database says of it."""
_SOUND = (".flac", ".wav")
"""What a recording's file may end in: WAV was written until 0.1."""
_PART = SUFFIX + ".part"
_log = structlog.get_logger(__name__)


def seal_left(keeping: Keeping, now: datetime) -> int:
    """Seal the plain recordings of calls that are over; how many. Without a key: none."""
    ring = keyring(keeping.settings.data_key)
    if ring is None:
        return 0
    count = 0
    for file in _files(keeping, *_SOUND):
        try:
            if _is_over(keeping, file, now):
                seal_file(file, ring)
                count += 1
        except OSError as error:
            _log.error("recording_not_sealed", code="recording_not_sealed", errno=error.errno)
    if count:
        _log.info("recordings_sealed", count=count)
    return count


def count_unsealed(keeping: Keeping, now: datetime) -> int:
    """How many plain recordings :func:`seal_left` leaves: their calls run, or ended just now."""
    count = 0
    for file in _files(keeping, *_SOUND):
        try:
            count += not _is_over(keeping, file, now)
        except FileNotFoundError:
            continue  # deleted or sealed meanwhile
    return count


def _is_over(keeping: Keeping, file: Path, now: datetime) -> bool:
    age = now - datetime.fromtimestamp(file.stat().st_mtime, UTC)
    if age < SETTLED:
        return False
    if age >= ABANDONED:
        return True
    with reading(keeping.engine) as session:
        wanted = select(Recording.complete).where(Recording.path.in_(_names(keeping, file)))
        return session.scalar(wanted.limit(1)) or False


def delete_orphans(keeping: Keeping, now: datetime, *, dry_run: bool = False) -> int:
    """Delete files of no conversation once they are as old as recordings may be; how many.

    Younger ones stay: the database may have been away when their call began.
    """
    old = timedelta(days=keeping.city.retention.recordings_days)
    count = 0
    for suffix, kept in (
        (_PART, ABANDONED),
        *((sound + sealed, old) for sound in _SOUND for sealed in ("", SUFFIX)),
    ):
        for file in _files(keeping, suffix):
            try:
                count += _delete_orphan(keeping, file, now - kept, dry_run=dry_run)
            except OSError as error:
                _log.error("orphan_not_deleted", code="orphan_not_deleted", errno=error.errno)
    return count


def _delete_orphan(keeping: Keeping, file: Path, limit: datetime, *, dry_run: bool) -> int:
    if file.stat().st_mtime >= limit.timestamp():
        return 0
    names = _names(keeping, file.with_name(file.name.removesuffix(".part").removesuffix(SUFFIX)))
    with reading(keeping.engine) as session:
        wanted = select(Recording.id).where(Recording.path.in_(names))
        known = session.scalar(wanted.where(Recording.deleted_at.is_(None)).limit(1)) is not None
    if known and not file.name.endswith(_PART):
        return 0
    if not dry_run:
        file.unlink(missing_ok=True)
    return 1


def _files(keeping: Keeping, *suffixes: str) -> Iterator[Path]:
    """The regular files of these endings; what goes on while we look may be gone again."""
    for file in keeping.settings.recordings_dir.rglob("*"):
        if file.name.endswith(suffixes) and file.is_file() and not file.is_symlink():
            yield file


def _names(keeping: Keeping, file: Path) -> tuple[str, ...]:
    """What a row may call the file: its whole path, as the phone has it, or below the folder."""
    folder = keeping.settings.recordings_dir
    inner = str(file.relative_to(folder))
    return (str(file), str(file.resolve()), inner)


def _seal(keeping: Keeping, now: datetime) -> None:
    seal_left(keeping, now)


def _orphans(keeping: Keeping, now: datetime) -> None:
    delete_orphans(keeping, now)


DUTIES: tuple[Duty, ...] = (
    Duty("recordings_seal", timedelta(hours=1), _seal, everywhere=True),
    Duty("recordings_orphans", timedelta(days=1), _orphans, deletes=True, everywhere=True),
)
