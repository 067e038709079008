"""Blind index: finds a citizen's rows by telephone number or account where both are sealed.

A mark is an HMAC of the normalised identity. Its key comes from the city's data key where there is
one: the installation's secret lies beside the database, and whoever steals both could try all
telephone numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from config.secret import secret_key
from config.settings import Settings
from sealing.keys import keyring

_PREFIX = "m1."
_LENGTH = 40
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s\-‐‑–—().·/]")
_NUMBER = re.compile(r"\+?\d{3,20}")
_ABROAD = re.compile(r"(?:\+|00)86(?=\d)|86(?=1[3-9]\d{9}$)")
_MOBILE = re.compile(r"0?(1[3-9]\d{9})")
_NOBODY = frozenset(("", "anonymous", "unknown", "restricted", "unavailable", "private"))
_log = structlog.get_logger(__name__)


def normalised(identity: str) -> str:
    """One spelling for each citizen: a telephone number as it is dialled at home, or an account.

    ``+86 139 1234 5678``, ``0086-139…``, ``sip:0139…@host`` are 13912345678; ``+86 10 8888 8888``
    is 01088888888. '' for a withheld number.
    """
    text = unicodedata.normalize("NFKC", identity).strip()
    bare = _BETWEEN.sub("", _SCHEME.sub("", text).partition("@")[0])
    if bare.lower() in _NOBODY:
        return ""
    return _home(bare) if _NUMBER.fullmatch(bare) else text


def _home(number: str) -> str:
    shorter = _ABROAD.sub("", number, count=1) if _ABROAD.match(number) else number
    mobile = _MOBILE.fullmatch(shorter)
    if mobile:
        return mobile[1]
    from_abroad = shorter != number and not shorter.startswith("0")
    return f"0{shorter}" if from_abroad else shorter


class Marker:
    """Makes marks; ``secret`` is asked for the key only where the city set none."""

    def __init__(self, data_keys: str, secret: Callable[[], str]) -> None:
        ring = keyring(data_keys)
        self._keys = [key.derived("mark") for key in ring.keys] if ring else []
        self._secret = secret
        self._secret_key: bytes | None = None

    def mark(self, identity: str) -> str:
        """The mark to store; '' for nobody, and where the secret cannot be had (logged)."""
        known = normalised(identity)
        if not known:
            return ""
        if self._keys:
            return _mark(self._keys[0], known)
        try:
            return _mark(self._own_key(), known)
        except OSError as error:  # the row is worth more than its mark; `data reseal` adds it
            _log.error("mark_failed", code="secret_unreadable", errno=error.errno)
            return ""

    def candidates(self, identity: str) -> tuple[str, ...]:
        """Every mark that rows of this citizen may carry, also from before a key was changed.

        Raises OSError where the installation's secret cannot be had.
        """
        known = normalised(identity)
        keys = [*self._keys, self._own_key()]
        return tuple(_mark(key, known) for key in keys) if known else ()

    def _own_key(self) -> bytes:
        if self._secret_key is None:
            self._secret_key = hashlib.sha256(b"qianmen mark\0" + self._secret().encode()).digest()
        return self._secret_key


def marker_from(settings: Settings) -> Marker:
    """The marker of an installation; raises :class:`sealing.errors.SealError`."""
    return Marker(settings.data_key, lambda: secret_key(settings))


def _mark(key: bytes, known: str) -> str:
    return _PREFIX + hmac.new(key, known.encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def marks_of(engine: Engine, identity: str) -> tuple[str, ...]:
    """Every mark that ``identity`` may have in the database of ``engine``; () without a marker.

    Raises OSError where the installation's secret cannot be had.
    """
    marker: Marker | None = getattr(engine.dialect, "marker", None)
    return marker.candidates(identity) if marker else ()
