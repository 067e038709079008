"""What the chats keep beside their turns: files that citizens sent, citizens joined with proof,
users of WeChat and how far they were told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

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


class WechatCitizen(Base):
    """A user of an Official Account, in their conversation of now; gone when that is erased.

    They were told all up to ``cursor`` and ``part`` characters of the next thing told
    (``chat.wechat.merging.Place``). ``left`` messages may be sent until ``window_until``,
    ``click_left`` until ``click_until`` (``chat.wechat.quota``), none before ``next_at``; ``tries``
    counts failures in a row. ``claimed_by`` alone tells them anything until ``claimed_until``.
    """

    __tablename__ = "wechat_citizen"

    id: Mapped[str] = mapped_column(primary_key=True)
    openid_mark: Mapped[str] = mapped_column(unique=True)
    openid: Mapped[str] = mapped_column(SealedText)
    account: Mapped[str] = mapped_column(default="")
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    cursor: Mapped[int] = mapped_column(default=0)
    part: Mapped[int] = mapped_column(default=0)
    window_until: Mapped[datetime | None]
    left: Mapped[int] = mapped_column(default=0)
    click_until: Mapped[datetime | None]
    click_left: Mapped[int] = mapped_column(default=0)
    subscribed: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(default="")
    claimed_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    @property
    def identity(self) -> str:
        """What ``openid_mark`` is the mark of, and who the conversation's citizen is."""
        return wechat_identity(self.account, self.openid)


class WechatReply(Base):
    """What the platform was answered to a message (``id`` is its ``Heard.id``): retries get it too.

    ``body`` is plain, None while nobody has decided it; '' stands for ``success``.
    """

    __tablename__ = "wechat_reply"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    body: Mapped[str | None] = mapped_column(SealedText)
    made_at: Mapped[datetime] = mapped_column(index=True)


class WechatMedia(Base):
    """A file that the platform keeps for three days, to be fetched; ``id`` is its ``Heard.id``.

    ``state``: waiting (not before ``next_at``), kept (an :class:`Attachment` now), failed.
    """

    __tablename__ = "wechat_media"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    kind: Mapped[str]
    media_id: Mapped[str] = mapped_column(SealedText)
    format: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="waiting", index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    at: Mapped[datetime]


def wechat_identity(account: str, openid: str) -> str:
    """How a user of an account is called where citizens have one name for all channels."""
    return f"wechat:{account}:{openid}"


@event.listens_for(WechatCitizen, "before_insert")
@event.listens_for(WechatCitizen, "before_update")
def _mark_openid(_: Mapper[Any], connection: Connection, row: WechatCitizen) -> None:
    """However the row is written, its citizen is found; the mark's key may have changed."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.openid_mark = marker.mark(row.identity)
