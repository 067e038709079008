"""Passwords of the staff: what a good one is, and what is stored of it (argon2id, RFC 9106)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 256
"""Characters."""
_DIFFERENT = 5
_FILLING = "0123456789_@.-!"
# The commonest that are long enough (lists of leaked passwords, Chinese and international).
_COMMON = frozenset(
    (Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii").split()
)
# Easy to read out and to type: no 0 O 1 l I.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher()
# Each hash takes 64 MiB: strangers who try to sign in at once must not take all memory.
_at_once = threading.BoundedSemaphore(4)


def weakness(password: str, login: str) -> str | None:
    """Why ``password`` is too weak for ``login``, in a sentence; None for a good one. Pure."""
    plain = _normal(password).casefold()
    bare = plain.replace(" ", "")
    if len(password) > LONGEST:
        return f"密码最长 {LONGEST} 个字符"
    if len(plain) < SHORTEST:
        return f"密码至少要 {SHORTEST} 个字符"
    name = login.casefold()
    if name and name in (bare, bare[::-1]):
        return "密码不能和登录名一样"
    if name and name in bare and not bare.replace(name, "").strip(_FILLING):
        return "密码不能只是登录名加上数字"
    if len(set(plain)) < _DIFFERENT:
        return f"密码里至少要有 {_DIFFERENT} 种不同的字符"
    if bare in _COMMON:
        return "这个密码太常见，很容易被猜中"
    return None


def make_password() -> str:
    """A password to hand to somebody: 16 characters of 32, 80 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    with _at_once:
        return _hasher.hash(_normal(password))


def password_fits(stored: str, password: str) -> bool:
    """Whether ``password`` is the one that ``stored`` was made of; False for a broken hash."""
    try:
        with _at_once:
            return _hasher.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether today's parameters are stronger than those of ``stored``: hash it again."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


def _normal(password: str) -> str:
    """As NIST SP 800-63B 5.1.1.2 asks: the same however an input method wrote it."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())
