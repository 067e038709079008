"""What the chats keep beside their turns: files that citizens sent, citizens joined with proof."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base
from store.types import SealedText


class Attachment(Base):
    """A file that a citizen sent with turn ``heard``; ``path`` below the recordings' folder.

    ``kind``: photo, voice, video or file; ``text`` is what a voice note was recognised as, with
    ``confidence``. ``digest`` is the SHA-256 of what was sent, by which a repeat is known.
    ``deleted_at``: the file is gone, by rule or on a citizen's wish.
    """

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("conversation_id", "heard", name="uq_attachment_heard"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    heard: Mapped[str]
    kind: Mapped[str]
    media_type: Mapped[str]
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    duration_ms: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(SealedText, default="")
    confidence: Mapped[float] = mapped_column(default=1.0)
    digest: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]


class CitizenLink(Base):
    """Two chats of one citizen, joined with a code that one channel told and the other was given.

    ``code`` is the code's mark, '' once it was used; ``guest`` the conversation that gave it back.
    """

    __tablename__ = "citizen_link"
    __table_args__ = (Index("ix_citizen_link_code", "code"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    code: Mapped[str] = mapped_column(default="")
    guest: Mapped[str | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    made_at: Mapped[datetime]
    until: Mapped[datetime]
    joined_at: Mapped[datetime | None]
