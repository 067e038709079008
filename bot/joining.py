"""One citizen in two chats: joined by a code that one of them told and the other was given.

Joined chats know each other's orders, and nothing else: neither sees what was said in the other.
A code of six digits lives ten minutes and is used once; only its mark is kept, and nobody tries
more than a few (`chat.limits`). Synchronous.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from store.engine import writing
from store.locks import one_at_a_time
from store.tables import CitizenLink, Conversation

LIVES = timedelta(minutes=10)
_GIVEN = re.compile(r"(?:我要)?连接(?:码)?[是：: ]{0,2}(\d{6})[。！. ]?")


def code_given(text: str) -> str:
    """The code in 连接483920; '' in other words."""
    found = _GIVEN.fullmatch(text.strip())
    return found[1] if found else ""


def make_code(engine: Engine, conversation: str, now: datetime) -> tuple[str, datetime]:
    """A fresh code of ``conversation`` (an earlier one counts no more), and until when it lives."""
    until = now + LIVES
    with writing(engine) as session:
        one_at_a_time(session, "citizen_link")
        for old in session.scalars(
            select(CitizenLink).where(
                CitizenLink.conversation_id == conversation, CitizenLink.joined_at.is_(None)
            )
        ):
            session.delete(old)
        live = set(session.scalars(select(CitizenLink.code).where(CitizenLink.until > now)))
        code = next(code for code in iter(_fresh, "") if _mark(code) not in live)
        session.add(
            CitizenLink(
                id=secrets.token_hex(16), conversation_id=conversation, code=_mark(code),
                guest=None, made_at=now, until=until, joined_at=None,
            )
        )  # fmt: skip
    return code, until


def join(engine: Engine, guest: str, code: str, now: datetime) -> bool:
    """Join ``guest`` with the chat that ``code`` was made for; False for a wrong or an old one."""
    with writing(engine) as session:
        row = session.scalar(
            select(CitizenLink)
            .where(CitizenLink.code == _mark(code), CitizenLink.until > now)
            .with_for_update(key_share=True)
        )
        if row is None or row.conversation_id == guest or session.get(Conversation, guest) is None:
            return False
        row.guest, row.joined_at, row.code = guest, now, ""
        return True


def joined_with(session: Session, conversation: str) -> tuple[str, ...]:
    """``conversation`` and every chat that was joined with it, also by way of a third one."""
    known, fresh = {conversation}, {conversation}
    while fresh:
        rows = session.execute(
            select(CitizenLink.conversation_id, CitizenLink.guest).where(
                CitizenLink.joined_at.is_not(None),
                or_(CitizenLink.conversation_id.in_(fresh), CitizenLink.guest.in_(fresh)),
            )
        ).all()
        fresh = {name for row in rows for name in row if name} - known
        known |= fresh
    return (conversation, *sorted(known - {conversation}))


def _fresh() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _mark(code: str) -> str:
    return hashlib.sha256(f"qianmen.link.{code}".encode()).hexdigest()[:32]
