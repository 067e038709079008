"""What citizens sent, on disk: seal what was kept before there was a key, delete what has no row.

A crash between a file and its row leaves a file that nobody can find, and so nobody can erase; who
sent it was told that it had not arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select

from chat.files import FOLDER
from qianmen.keeper.duty import Duty, Keeping
from sealing.files import SUFFIX, seal_file
from sealing.keys import keyring
from store.engine import reading
from store.tables import Attachment

ABANDONED = timedelta(days=7)
"""Long enough that whoever brings back an older database sees what it lacks, and can do better."""
BROKEN_OFF = timedelta(days=1)
"""What was being written so long ago is written by nobody."""
_PART = ".part"
_log = structlog.get_logger(__name__)


def seal_plain(keeping: Keeping) -> int:
    """Seal the plain files; how many. Without a key: none.

    A file appears whole or not at all, and whoever reads looks for the sealed one first.
    """
    ring = keyring(keeping.settings.data_key)
    if ring is None:
        return 0
    count = 0
    for file in _files(keeping):
        if file.name.endswith((SUFFIX, _PART)):
            continue
        try:
            seal_file(file, ring)
            count += 1
        except FileNotFoundError:
            continue  # deleted meanwhile
        except OSError as error:
            _log.error("attachment_not_sealed", code="attachment_not_sealed", errno=error.errno)
    if count:
        _log.info("attachments_sealed", count=count)
    return count


def delete_rowless(keeping: Keeping, now: datetime, *, dry_run: bool = False) -> int:
    """Delete files that no row names, and what was broken off; how many."""
    count = 0
    for file in _files(keeping):
        try:
            if _is_abandoned(keeping, file, now):
                count += 1
                if not dry_run:
                    file.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.error("orphan_not_deleted", code="orphan_not_deleted", errno=error.errno)
    if count and not dry_run:
        _log.info("attachments_without_row_deleted", count=count)
    return count


def _is_abandoned(keeping: Keeping, file: Path, now: datetime) -> bool:
    written_s = file.stat().st_mtime
    if file.name.endswith(_PART):
        return written_s < (now - BROKEN_OFF).timestamp()
    if written_s >= (now - ABANDONED).timestamp():
        return False
    name = str(file.relative_to(keeping.settings.recordings_dir)).removesuffix(SUFFIX)
    wanted = select(Attachment.id).where(Attachment.path == name, Attachment.deleted_at.is_(None))
    with reading(keeping.engine) as session:
        return session.scalar(wanted.limit(1)) is None


def _files(keeping: Keeping) -> Iterator[Path]:
    for file in (keeping.settings.recordings_dir / FOLDER).rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield file


def _seal(keeping: Keeping, _now: datetime) -> None:
    seal_plain(keeping)


def _rowless(keeping: Keeping, now: datetime) -> None:
    delete_rowless(keeping, now)


DUTIES: tuple[Duty, ...] = (
    Duty("attachments_seal", timedelta(hours=1), _seal, everywhere=True),
    Duty("attachments_rowless", timedelta(days=1), _rowless, deletes=True, everywhere=True),
)
