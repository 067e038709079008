"""Who may sign in, and the lock after too many wrong passwords.

Every try is written down before the password is looked at, so that tries sent at once cannot slip
past the lock together.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from handoff.staff import hash_password, password_fits
from store.engine import reading, writing
from store.tables import Audit, Staff
from web.lockout import LOOK_BACK, is_locked

MAX_LOGIN_CHARS = 64
MAX_PASSWORD_CHARS = 256
_TRIED, _SIGNED_IN, _REFUSED = "sign_in_tried", "sign_in", "sign_in_refused"

_nobody = hash_password(secrets.token_hex(16))


class SignInError(Exception):
    """The sign-in was refused; the reason is not told: wrong, unknown, switched off or locked."""

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff who is signed in."""

    id: int
    login: str
    name: str
    roles: tuple[str, ...]


def sign_in(engine: Engine, login: str, password: str, *, now: datetime, key: str) -> Member:
    """Check login and password; raises :class:`SignInError`.

    ``key`` hides unknown logins in the audit: people type passwords into the wrong field.
    """
    login, password = login.strip()[:MAX_LOGIN_CHARS], password[:MAX_PASSWORD_CHARS]
    with writing(engine) as session:
        found = session.scalar(select(Staff).where(Staff.login == login))
        name = login if found else _disguise(login, key)
        locked = is_locked(_tries(session, name, now), now)
        _note(session, now, name, _REFUSED if locked else _TRIED)
        stored = found.password_hash if found and found.active else _nobody
    if not password_fits(stored, password) or locked or found is None:
        raise SignInError("the sign-in was refused")
    with writing(engine) as session:
        _note(session, now, name, _SIGNED_IN)
    return _member(found)


def sign_out(engine: Engine, member: Member, nonce: str, now: datetime) -> None:
    """End the session ``nonce`` for good, also for whoever copied its cookie."""
    with writing(engine) as session:
        session.add(Audit(at=now, actor=member.login, action="sign_out", object=nonce))


def signed_in(engine: Engine, staff: int, nonce: str, since: datetime) -> Member | None:
    """The member behind a session begun at ``since``; None when switched off or signed out."""
    with reading(engine) as session:
        found = session.get(Staff, staff)
        if found is None or not found.active:
            return None
        gone = session.scalar(
            select(Audit.id)
            .where(Audit.at >= since, Audit.action == "sign_out", Audit.object == nonce)
            .limit(1)
        )
        return None if gone else _member(found)


def _member(row: Staff) -> Member:
    return Member(row.id, row.login, row.name, tuple(str(role) for role in row.roles))


def _tries(session: Session, name: str, now: datetime) -> Sequence[datetime]:
    """The tries since the last success that were not refused by a lock."""
    rows = session.execute(
        select(Audit.at, Audit.action)
        .where(Audit.at > now - LOOK_BACK, Audit.actor == name)
        .where(Audit.action.in_((_TRIED, _SIGNED_IN)))
        .order_by(Audit.id)
    ).all()
    tries: list[datetime] = []
    for at, action in rows:
        tries = [] if action == _SIGNED_IN else [*tries, at]
    return tries


def _note(session: Session, now: datetime, name: str, action: str) -> None:
    data: dict[str, Any] = {}
    session.add(Audit(at=now, actor=name, action=action, object="staff", data=data))


def _disguise(login: str, key: str) -> str:
    digest = hmac.new(key.encode(), login.encode("utf-8", "replace"), hashlib.sha256)
    return "unknown:" + digest.hexdigest()[:16]
