"""Keys of other systems that use the API: made, found, switched off.

A key is ``qmk_ID_SECRET``. Only its SHA-256 is kept: the secret has 256 random bits, so nobody can
try them all, and a slow hash would only slow each request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from handoff.staff import Act
from store import audit
from store.engine import reading, writing
from store.tables import ApiKey

GRANTABLE = ("see_orders", "change_orders", "create_orders", "supervise", "see_secret")
"""What another system may be allowed: some of the rights of ``web.rights``."""
USED_EVERY = timedelta(hours=1)
_KEY = re.compile(r"qmk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}")


class ApiKeyError(Exception):
    """What was asked for cannot be; ``code``: key_name_invalid, key_name_taken, key_unknown,
    right_unknown. The message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key, without its secret."""

    id: str
    name: str
    rights: tuple[str, ...]
    active: bool
    created_at: datetime
    created_by: str
    used_at: datetime | None


def add_key(engine: Engine, act: Act, name: str, rights: Sequence[str]) -> str:
    """Make a key, told this once only; raises :class:`ApiKeyError`."""
    if not _NAME.fullmatch(name):
        raise ApiKeyError("key_name_invalid", "名称用 2 到 40 个字母、数字和 . _ -")
    wanted = sorted({*rights})
    unknown = [right for right in wanted if right not in set(GRANTABLE)]
    if unknown or not wanted:
        known = "、".join(GRANTABLE)
        raise ApiKeyError("right_unknown", f"权限要从这些里选，至少一个：{known}")
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = f"qmk_{id_}_{secret}"
    with writing(engine) as session:
        if session.scalar(select(ApiKey.id).where(ApiKey.name == name)) is not None:
            raise ApiKeyError("key_name_taken", f"已经有叫 {name} 的密钥")
        session.add(ApiKey(id=id_, name=name, digest=_digest(key), rights=wanted, active=True,
                           created_at=act.at, created_by=act.by, used_at=None))  # fmt: skip
        _note(session, act, "api_key_added", name, rights=wanted)
    return key


def disable_key(engine: Engine, act: Act, name: str) -> KeyInfo:
    """The key opens nothing from now on; raises :class:`ApiKeyError` ``key_unknown``."""
    with writing(engine) as session:
        row = session.scalar(select(ApiKey).where(ApiKey.name == name))
        if row is None:
            raise ApiKeyError("key_unknown", f"没有叫 {name[:40]} 的密钥")
        row.active = False
        _note(session, act, "api_key_disabled", name)
        return _info(row)


def list_keys(engine: Engine) -> tuple[KeyInfo, ...]:
    """Every key, also those that were switched off."""
    with reading(engine) as session:
        return tuple(_info(row) for row in session.scalars(select(ApiKey).order_by(ApiKey.name)))


def find_key(engine: Engine, key: str, now: datetime) -> KeyInfo | None:
    """Whose key it is; None for none of ours, and for one that was switched off."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    with reading(engine) as session:
        row = session.get(ApiKey, match[1])
    if row is None or not hmac.compare_digest(row.digest, _digest(key)) or not row.active:
        return None
    if row.used_at is None or now - row.used_at >= USED_EVERY:
        with writing(engine) as session:
            session.get_one(ApiKey, row.id).used_at = now
    return _info(row)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _note(session: Session, act: Act, action: str, name: str, **data: object) -> None:
    audit.write(session, act.key, at=act.at, actor=act.by, action=action, target=f"key:{name}",
                data=data)  # fmt: skip


def _info(row: ApiKey) -> KeyInfo:
    return KeyInfo(row.id, row.name, tuple(str(right) for right in row.rights), row.active,
                   row.created_at, row.created_by, row.used_at)  # fmt: skip
