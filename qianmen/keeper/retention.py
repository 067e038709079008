"""Delete by the city's rules: recordings, transcripts, orders, audit lines, rendered sentences.

Each step is a transaction of its own: broken off anywhere, doing it again goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.secret import secret_key
from qianmen.keeper.duty import Duty, Keeping
from qianmen.keeper.facts import old_orders, old_talks, order_facts, talk_facts
from qianmen.keeper.rules import (
    OrderFacts,
    TalkFacts,
    orders_due,
    recordings_due,
    transcripts_due,
)
from qianmen.personal.emptying import empty_conversation, empty_order
from sealing.files import delete_files
from store import audit
from store.engine import reading, writing
from store.tables import Attachment, Audit, Conversation, Recording, WorkOrder

ACTOR = "system:retention"
SPEECH_BYTES = 1024**3
"""What rendered sentences may take: 18 hours of speech; the longest unused go first."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Gone:
    """How many went, or would go; ``failed``: files that could not be deleted, tried again."""

    recordings: int = 0
    attachments: int = 0
    transcripts: int = 0
    orders: int = 0
    audit_lines: int = 0
    sentences: int = 0
    failed: int = 0

    def as_json(self) -> dict[str, int]:
        """As one JSON object."""
        return asdict(self)


def retain(keeping: Keeping, now: datetime, *, dry_run: bool = False) -> Gone:
    """Delete what is due at ``now``; with ``dry_run`` only count it."""
    gone = Gone()
    _talks(keeping, now, gone, dry_run=dry_run)
    _orders(keeping, now, gone, dry_run=dry_run)
    _audit(keeping, now, gone, dry_run=dry_run)
    _speech(keeping, now, gone, dry_run=dry_run)
    _log.info("retention_done", dry_run=dry_run, **gone.as_json())
    return gone


def _talks(keeping: Keeping, now: datetime, gone: Gone, *, dry_run: bool) -> None:
    rules = keeping.city.retention
    youngest = now - timedelta(days=min(rules.recordings_days, rules.transcripts_days))
    for portion in old_talks(keeping.engine, youngest):
        sounds = recordings_due(rules, now, portion)
        texts = transcripts_due(rules, now, portion)
        if dry_run:
            gone.recordings += len(sounds)
            gone.transcripts += len(texts)
            continue
        for recording in sounds:
            _count(gone, delete_recording(keeping, recording, now))
        for conversation in texts:
            deleted, failed = delete_attachments(keeping, conversation, now)
            gone.attachments += deleted
            gone.failed += failed
            if not failed:  # its rows stay until all files are gone, so that the next run finds it
                gone.transcripts += _if_still_due(keeping, now, conversation)


def delete_recording(keeping: Keeping, recording: str, now: datetime) -> bool:
    """The file, then the row's mark; False where the file cannot be deleted (logged)."""
    with reading(keeping.engine) as session:
        path = session.get_one(Recording, recording).path
    try:
        delete_files(keeping.settings.recordings_dir, path)
    except OSError as error:
        _log.error("recording_not_deleted", code="recording_not_deleted", errno=error.errno)
        return False
    with writing(keeping.engine) as session:
        session.get_one(Recording, recording).deleted_at = now
    return True


def delete_attachments(keeping: Keeping, conversation: str, now: datetime) -> tuple[int, int]:
    """The files that a citizen sent in a conversation: how many went, and how many could not."""
    with reading(keeping.engine) as session:
        there = session.execute(
            select(Attachment.id, Attachment.path).where(
                Attachment.conversation_id == conversation, Attachment.deleted_at.is_(None)
            )
        ).all()
    deleted = failed = 0
    for name, path in there:
        try:
            delete_files(keeping.settings.recordings_dir, path)
        except OSError as error:
            _log.error("attachment_not_deleted", code="attachment_not_deleted", errno=error.errno)
            failed += 1
            continue
        with writing(keeping.engine) as session:
            session.get_one(Attachment, name).deleted_at = now
        deleted += 1
    return deleted, failed


def _count(gone: Gone, deleted: bool) -> None:
    if deleted:
        gone.recordings += 1
    else:
        gone.failed += 1


def _if_still_due(keeping: Keeping, now: datetime, conversation: str) -> int:
    """Empty it unless something happened to it since the facts were read; how many."""
    with writing(keeping.engine) as session:
        row = session.get(Conversation, conversation, with_for_update=True)
        facts: Iterable[TalkFacts] = talk_facts(session, [row] if row else [])
        due = transcripts_due(keeping.city.retention, now, facts)
        for name in due:
            empty_conversation(session, name, now)
    return len(due)


def _orders(keeping: Keeping, now: datetime, gone: Gone, *, dry_run: bool) -> None:
    rules = keeping.city.retention
    if rules.orders_days is None:
        return
    for portion in old_orders(keeping.engine, now - timedelta(days=rules.orders_days)):
        for order in orders_due(rules, now, portion):
            gone.orders += 1 if dry_run else _order_if_still_due(keeping, now, order)


def _order_if_still_due(keeping: Keeping, now: datetime, order: str) -> int:
    with writing(keeping.engine) as session:
        row = session.get(WorkOrder, order, with_for_update=True)
        facts: list[OrderFacts] = [order_facts(session, row)] if row else []
        due = orders_due(keeping.city.retention, now, facts)
        for name in due:
            empty_order(session, name, now)
    return len(due)


def _audit(keeping: Keeping, now: datetime, gone: Gone, *, dry_run: bool) -> None:
    before = now - timedelta(days=keeping.city.retention.audit_days)
    if dry_run:
        with reading(keeping.engine) as session:
            counted = select(func.count()).select_from(Audit).where(Audit.at < before)
            gone.audit_lines += session.scalar(counted) or 0
        return
    key = secret_key(keeping.settings)
    with writing(keeping.engine) as session:
        gone.audit_lines += audit.delete_before(session, key, before, at=now, actor=ACTOR)
        if gone.recordings or gone.transcripts or gone.orders:
            _note(session, key, now, gone)


def _note(session: Session, key: str, now: datetime, gone: Gone) -> None:
    audit.write(session, key, at=now, actor=ACTOR, action="retained", data=gone.as_json())


def _speech(keeping: Keeping, now: datetime, gone: Gone, *, dry_run: bool) -> None:
    limit = now - timedelta(days=keeping.city.retention.speech_days)
    files = list(keeping.settings.speech_dir.glob("*/*"))
    for deleted, failed in (
        delete_older(files, limit, dry_run=dry_run),
        delete_above(files, limit, SPEECH_BYTES, dry_run=dry_run),
    ):
        gone.sentences += deleted
        gone.failed += failed


def delete_above(
    files: Iterable[Path], limit: datetime, limit_bytes: int, *, dry_run: bool
) -> tuple[int, int]:
    """Of the files written after ``limit``, delete the oldest until the rest has ``limit_bytes``.

    How many, and how many could not be.
    """
    sizes: list[tuple[float, int, Path]] = []
    for file in files:
        with contextlib.suppress(OSError):  # deleted meanwhile
            status = file.stat()
            if status.st_mtime >= limit.timestamp():
                sizes.append((status.st_mtime, status.st_size, file))
    excess = sum(size for _, size, _ in sizes) - limit_bytes
    too_many: list[Path] = []
    for _, size, file in sorted(sizes):
        if excess > 0:
            too_many.append(file)
            excess -= size
    return _delete(too_many, dry_run=dry_run)


def delete_older(files: Iterable[Path], limit: datetime, *, dry_run: bool) -> tuple[int, int]:
    """Delete the files last written before ``limit``: how many, and how many could not be."""
    old: list[Path] = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            if file.is_file() and file.stat().st_mtime < limit.timestamp():
                old.append(file)
    return _delete(old, dry_run=dry_run)


def _delete(files: Iterable[Path], *, dry_run: bool) -> tuple[int, int]:
    deleted = failed = 0
    for file in files:
        try:
            if not dry_run:
                file.unlink()
            deleted += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            failed += 1
            _log.error("file_not_deleted", code="file_not_deleted", errno=error.errno)
    return deleted, failed


def _daily(keeping: Keeping, now: datetime) -> None:
    retain(keeping, now)


DUTIES: tuple[Duty, ...] = (Duty("retention", timedelta(days=1), _daily, deletes=True),)
