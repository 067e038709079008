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
from functools import cache

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from handoff.passwords import hash_password, is_outdated, password_fits
from handoff.staff import Act, change_own_password, check_password
from store import audit
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.tables import Audit, Staff
from web.lockout import LOOK_BACK, is_locked
from web.rights import Right, rights_of
from web.sessions import StaffSession

MAX_LOGIN_CHARS = 64
MAX_PASSWORD_CHARS = 256
_SIGNED_IN = "sign_in"
_CHANGED, _RESET = "password_changed", "password_reset"


@dataclass(frozen=True, slots=True)
class _Check:
    """How one kind of check is written down; the lock counts the tries of every kind."""

    tried: str
    failed: str
    refused: str


_SIGN_IN = _Check("sign_in_tried", "sign_in_failed", "sign_in_refused")
_OLD_PASSWORD = _Check("password_tried", "password_failed", "password_refused")
_TRIES = (_SIGN_IN.tried, _OLD_PASSWORD.tried)


@cache
def _nobody() -> str:
    """The hash of a password that nobody has: an unknown login takes as long as a known one.

    Made at the first sign-in, since it takes 0.2 s and 64 MB, whoever signs in.
    """
    return hash_password(secrets.token_hex(16))


class SignInError(Exception):
    """The sign-in was refused; the reason is not told: wrong, unknown, switched off or locked."""

    code = "sign_in_refused"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff who is signed in; ``must_change``: their password first."""

    id: int
    login: str
    name: str
    roles: tuple[str, ...]
    must_change: bool = False

    @property
    def rights(self) -> frozenset[Right]:
        """All they may do."""
        return rights_of(self.roles)


def sign_in(engine: Engine, login: str, password: str, *, now: datetime, key: str) -> Member:
    """Check login and password; raises :class:`SignInError`.

    ``key`` signs the audit, and hides unknown logins in it: people type passwords into the wrong
    field.
    """
    found, stored = _check(engine, login, password, _SIGN_IN, now=now, key=key)
    fresh = hash_password(password) if is_outdated(stored) else None
    with writing(engine) as session:
        row = session.get_one(Staff, found.id)
        if fresh and row.password_hash == stored:
            row.password_hash = fresh
        _note(session, key, now, found.login, _SIGNED_IN)
    return member_of(found)


def _check(
    engine: Engine, login: str, password: str, kind: _Check, *, now: datetime, key: str
) -> tuple[Staff, str]:
    """Whose password it is, and its hash; raises :class:`SignInError`.

    A failure has a line of its own as well; one that a lock refused says so already.
    """
    login = login.strip().lower()[:MAX_LOGIN_CHARS]
    nobody = _nobody()
    with writing(engine) as session:
        one_at_a_time(session, f"sign-in.{login}")  # or tries sent at once are counted as one
        found = _find(session, login)
        name = login if found else _disguise(login, key)
        locked = is_locked(_tries(session, name, now), now)
        _note(session, key, now, name, kind.refused if locked else kind.tried)
        stored = found.password_hash if found and found.active else nobody
    fits = password_fits(stored, password[:MAX_PASSWORD_CHARS])
    if not fits or locked or found is None or not found.active:
        if not locked:
            with writing(engine) as session:
                _note(session, key, now, name, kind.failed)
        raise SignInError("the sign-in was refused")
    return found, stored


def sign_out(engine: Engine, member: Member, nonce: str, act: Act) -> None:
    """End the session ``nonce`` for good, also for whoever copied its cookie."""
    with writing(engine) as session:
        audit.write(session, act.key, at=act.at, actor=member.login, action="sign_out",
                    target=nonce)  # fmt: skip


def signed_in(engine: Engine, standing: StaffSession) -> Member | None:
    """The member behind a session; None when it was ended or they were switched off."""
    with reading(engine) as session:
        found = session.get(Staff, standing.staff)
        if found is None or not found.active:
            return None
        if found.valid_from is not None and standing.since < found.valid_from:
            return None
        gone = session.scalar(
            select(Audit.id)
            .where(Audit.at >= standing.since)
            .where(Audit.action == "sign_out", Audit.object == standing.nonce)
            .limit(1)
        )
        return None if gone else member_of(found)


def change_password(
    engine: Engine, current: str, fresh: str, act: Act, places: Sequence[str] = ()
) -> None:
    """Change ``act.by``'s own password; a wrong current one counts as a failed sign-in.

    ``places``: names that everybody here would try, as the city's; not good enough either.
    Raises :class:`SignInError`, :class:`handoff.profile.StaffError` ``password_weak``.
    """
    check_password(fresh, act.by, places)
    _check(engine, act.by, current, _OLD_PASSWORD, now=act.at, key=act.key)
    change_own_password(engine, act, fresh)


def member_of(row: Staff) -> Member:
    """The member of a row."""
    roles = tuple(str(role) for role in row.roles)
    return Member(row.id, row.login, row.name, roles, row.must_change)


def _find(session: Session, login: str) -> Staff | None:
    """Nothing unprintable is looked up: PostgreSQL refuses some of it."""
    if not login.isprintable():
        return None
    return session.scalar(select(Staff).where(Staff.login == login))


def _tries(session: Session, name: str, now: datetime) -> Sequence[datetime]:
    """The tries since the last success or new password that were not refused by a lock."""
    rows = session.execute(
        select(Audit.at, Audit.action)
        .where(Audit.at > now - LOOK_BACK)
        .where(
            or_(
                (Audit.actor == name) & Audit.action.in_((*_TRIES, _SIGNED_IN)),
                (Audit.object == f"staff:{name}") & Audit.action.in_((_CHANGED, _RESET)),
            )
        )
        .order_by(Audit.id)
    ).all()
    tries: list[datetime] = []
    for at, action in rows:
        tries = [*tries, at] if action in _TRIES else []
    return tries


def _note(session: Session, key: str, now: datetime, name: str, action: str) -> None:
    audit.write(session, key, at=now, actor=name, action=action, target="staff")


def _disguise(login: str, key: str) -> str:
    digest = hmac.new(key.encode(), login.encode("utf-8", "replace"), hashlib.sha256)
    return "unknown:" + digest.hexdigest()[:16]
