"""What is kept of a user of WeChat beside their turns: who they are there, what retries get."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.tables import WechatCitizen, WechatMedia, WechatReply


def forget_wechat(session: Session, conversation: str) -> None:
    """Rows that nothing points at: gone, not emptied. Nothing more can be told them there."""
    for kind in (WechatReply, WechatMedia, WechatCitizen):
        session.execute(delete(kind).where(kind.conversation_id == conversation))


def known_of_wechat(session: Session, conversation: str) -> list[dict[str, Any]]:
    """To be given out: their OpenID, whether they follow, until when they may be written to."""
    rows = session.scalars(
        select(WechatCitizen).where(WechatCitizen.conversation_id == conversation)
    )
    return [
        {"account": row.account, "openid": row.openid, "subscribed": row.subscribed,
         "window_until": row.window_until.isoformat() if row.window_until else None}
        for row in rows
    ]  # fmt: skip
