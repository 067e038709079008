"""Passwords of the staff: what a good one is, and what is stored of it (argon2id, RFC 9106)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from language.pinyin import syllables

SHORTEST, LONGEST = 10, 256
"""Characters."""
_DIFFERENT = 5
_FILLING = "0123456789_@.-!"
# The commonest that are long enough (lists of leaked passwords, Chinese and international).
_COMMON = frozenset(
    (Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii").split()
)
# What whoever knows where they are tries first: the product, the hotline, its cities.
_WORDS = frozenset(
    (Path(__file__).parent / "password_words.txt").read_text(encoding="utf-8").split()
)
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz",
         "qazwsxedcrfvtgbyhnujm")  # fmt: skip
_PIECE = 3
"""Characters: shorter pieces are in every good password, too."""
# Easy to read out and to type: no 0 O 1 l I.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher()
# Each hash takes 64 MiB: strangers who try to sign in at once must not take all memory.
_at_once = threading.BoundedSemaphore(4)


def weakness(password: str, login: str, places: Sequence[str] = ()) -> str | None:
    """Why ``password`` is too weak for ``login``, in a sentence; None for a good one. Pure.

    ``places``: names of the city in Chinese; their pinyin counts as well.
    """
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
    if _is_guessed(bare, {name, *_spelt(places)}):
        return "密码不能只由常见的词、热线名称、地名或键盘上相邻的键拼成"
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


def _is_guessed(bare: str, names: set[str]) -> bool:
    """Whether nothing but well-known pieces is left of it without digits and signs.

    One of digits alone: whether these are pieces.
    """
    kernel = _kernel(bare) or "".join(filter(str.isalnum, bare))
    return bool(kernel) and _is_made_of(kernel, _PIECES | names)


def _kernel(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def _is_made_of(kernel: str, pieces: Set[str]) -> bool:
    """Whether ``kernel`` can be cut into ``pieces`` without a rest."""
    lengths = sorted({len(piece) for piece in pieces} - {0})
    reached = [True] + [False] * len(kernel)
    for end in range(1, len(kernel) + 1):
        reached[end] = any(
            reached[end - length] and kernel[end - length : end] in pieces
            for length in lengths
            if length <= end
        )
    return reached[-1]


def _spelt(places: Sequence[str]) -> Iterator[str]:
    """Each name and its pinyin, with and without 市."""
    for place in places:
        for name in (place, place.removesuffix("市")):
            yield name.casefold()
            yield "".join(syllables(name))


def _runs() -> Iterator[str]:
    """Neighbours on the keyboard, in the alphabet and among the digits, both ways."""
    for row in (*_ROWS, *(row[::-1] for row in _ROWS)):
        for start in range(len(row)):
            yield from (row[start:end] for end in range(start + _PIECE, len(row) + 1))


_PIECES = frozenset(
    piece
    for piece in (*_WORDS, *map(_kernel, _COMMON), *_runs())
    if len(piece) >= _PIECE or not piece.isascii()
)


def _normal(password: str) -> str:
    """As NIST SP 800-63B 5.1.1.2 asks: the same however an input method wrote it."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())
