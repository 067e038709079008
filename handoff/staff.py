"""The staff: passwords, and the first administrator who makes all others."""

from __future__ import annotations

import secrets
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, select

from store.engine import writing
from store.tables import Staff

ADMINISTRATOR = "admin"
# Easy to read out and to type: no 0 O 1 l I.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def password_fits(stored: str, password: str) -> bool:
    """Whether ``password`` is the one that ``stored`` was made of; False for a broken hash."""
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def create_first_administrator(engine: Engine, now: datetime) -> str | None:
    """Make ``admin`` where there is no staff yet; the password, this once, else None."""
    with writing(engine) as session:
        if session.scalar(select(Staff.id).limit(1)) is not None:
            return None
        password = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
        session.add(
            Staff(
                login=ADMINISTRATOR,
                name="管理员",
                password_hash=hash_password(password),
                roles=["administrator"],
                created_at=now,
            )
        )
    return password
