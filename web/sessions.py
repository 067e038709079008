"""The staff's session cookie and the token against forged requests. Pure: time is passed in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData

from chat.signing import serializer

COOKIE = "qianmen_staff"
FORM_COOKIE = "qianmen_form"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_SALT = "qianmen.staff.session"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Who is signed in since when; ``nonce`` names the session."""

    staff: int
    nonce: str
    since: datetime


def cookie_name(name: str, *, secure: bool) -> str:
    """The cookie's name; over https no other host of the domain can set it (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if secure else name


def begin(staff: int, now: datetime) -> StaffSession:
    """A session of its own for each sign-in."""
    return StaffSession(staff, secrets.token_hex(16), now)


def dump(session: StaffSession, key: str, now: datetime) -> str:
    """The cookie's value; giving it out again at ``now`` moves the idle time-out on."""
    payload = [session.staff, session.nonce, (session.since - _EPOCH) // _TICK]
    return str(serializer(key, _SALT, now).dumps(payload))


def load(cookie: str, key: str, now: datetime, idle: timedelta = IDLE) -> StaffSession | None:
    """The session of a cookie; None if forged, broken, idle for ``idle`` or older than a shift."""
    try:
        payload = serializer(key, _SALT, now).loads(cookie, max_age=int(idle.total_seconds()))
    except BadData:
        return None
    match payload:
        case [int(staff), str(nonce), int(since)]:
            session = StaffSession(staff, nonce, _EPOCH + since * _TICK)
            return session if now - session.since < LONGEST else None
    return None


def form_token(nonce: str, key: str) -> str:
    """What a form of the session ``nonce`` must carry; other sites cannot know it."""
    return hmac.new(key.encode(), b"form:" + nonce.encode(), hashlib.sha256).hexdigest()


def form_token_fits(token: str, nonce: str, key: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), form_token(nonce, key).encode())
