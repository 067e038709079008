"""What a citizen sends beside words: kept on disk, noted in the database, tied to its turn.

The file first, then the row, then the turn: broken off anywhere, sending it again ends it. Order
and desk find it by its conversation.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chat.files import Files
from store.engine import reading, writing
from store.tables import Attachment
from turns.heard import Attachment as Sent

Kind = Literal["photo", "voice", "video", "file"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One file that is kept; ``text`` and ``confidence`` are a voice note's."""

    id: str
    conversation: str
    heard: str
    kind: str
    media_type: str
    path: str
    size: int
    duration_ms: int = 0
    text: str = ""
    confidence: float = 1.0
    digest: str = ""

    def sent(self) -> Sent:
        """As it goes along with its turn."""
        kind = "image" if self.kind == "photo" else self.kind
        return Sent(kind, f"/attachments/{self.id}", self.text)


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a voice note."""

    text: str = ""
    confidence: float = 1.0
    duration_ms: int = 0


def keep(
    engine: Engine,
    files: Files,
    conversation: str,
    heard: str,
    kind: Kind,
    media_type: str,
    data: bytes,
    now: datetime,
    *,
    note: Note | None = None,
    digest: str = "",
) -> Kept:
    """Keep ``data``, which came with turn ``heard``; the same turn again keeps what is there.

    ``digest``: of what was sent, where ``data`` was made from it. Raises OSError,
    ``SQLAlchemyError``. Synchronous.
    """
    known = kept_of(engine, conversation, heard)
    if known is not None:
        return known
    note = note or Note()
    name = secrets.token_hex(16)
    path = files.write(name, media_type, data)
    row = Attachment(
        id=name, conversation_id=conversation, heard=heard, kind=kind, media_type=media_type,
        path=path, size=len(data), duration_ms=note.duration_ms, text=note.text,
        confidence=note.confidence, digest=digest or digest_of(data), at=now, deleted_at=None,
    )  # fmt: skip
    try:
        with writing(engine) as session:
            session.add(row)
    except IntegrityError:  # sent twice at once: the first one stands
        files.remove(path)
        known = kept_of(engine, conversation, heard)
        if known is None:
            raise
        return known
    return _kept(row)


def digest_of(data: bytes) -> str:
    """By which the same file is known again."""
    return hashlib.sha256(data).hexdigest()


def kept_of(engine: Engine, conversation: str, heard: str) -> Kept | None:
    """What was kept of a turn."""
    with reading(engine) as session:
        row = session.scalar(
            select(Attachment).where(
                Attachment.conversation_id == conversation, Attachment.heard == heard
            )
        )
        return _kept(row) if row is not None else None


def one_of(engine: Engine, attachment: str, conversation: str = "") -> Kept | None:
    """One that is still there, of ``conversation`` alone where that is named."""
    with reading(engine) as session:
        row = session.get(Attachment, attachment)
        if row is None or row.deleted_at is not None:
            return None
        return _kept(row) if conversation in ("", row.conversation_id) else None


def all_of(session: Session, conversation: str) -> dict[str, Kept]:
    """Everything of a conversation that is still there, by the turn that it came with."""
    rows = session.scalars(
        select(Attachment)
        .where(Attachment.conversation_id == conversation, Attachment.deleted_at.is_(None))
        .order_by(Attachment.at)
    )
    return {row.heard: _kept(row) for row in rows}


def _kept(row: Attachment) -> Kept:
    return Kept(
        id=row.id, conversation=row.conversation_id, heard=row.heard, kind=row.kind,
        media_type=row.media_type, path=row.path, size=row.size, duration_ms=row.duration_ms,
        text=row.text, confidence=row.confidence, digest=row.digest,
    )  # fmt: skip
