"""Sealed words: a text that stands in a database column or in Redis.

``qs1.KEYID.BASE64URL`` holds nonce, cipher text and tag. ``qs0.`` stands before a plain text that
would look like one of these two. Nonces are random: safe for 2^32 values a key and purpose (SP
800-38D section 8.3); 5 million values a day reach that in two years, so change the key yearly.
"""

from __future__ import annotations

import os

from sealing.errors import SealError
from sealing.keys import NONCE_BYTES, Gcm, Keyring, decoded, encoded

_SEALED = "qs1."
_PLAIN = "qs0."


class WordSeal:
    """Seals and opens texts for one ``purpose``; ``context`` must be the same both times."""

    def __init__(self, ring: Keyring, purpose: str) -> None:
        self.ring = ring
        self._purpose = purpose.encode()
        self._ciphers: dict[str, Gcm] = {key.id: key.cipher(purpose) for key in ring.keys}

    def seal(self, text: str, context: str = "") -> str:
        """``text`` encrypted with the newest key."""
        name = self.ring.newest.id
        nonce = os.urandom(NONCE_BYTES)
        body = self._ciphers[name].seal(nonce, _bytes(text), self._bound(name, context))
        return f"{_SEALED}{name}.{encoded(nonce + body)}"

    def open(self, stored: str, context: str = "") -> str:
        """What ``seal`` was given; a text that was stored without a key, as it was.

        Raises :class:`SealError` ``data_key_wrong``, ``sealed_broken``.
        """
        if not stored.startswith(_SEALED):
            return open_plain(stored)
        name, _, written = stored.removeprefix(_SEALED).partition(".")
        cipher = self._ciphers[self.ring.named(name).id]
        data = decoded(written)
        if data is None:
            raise SealError("sealed_broken", "a sealed text is cut or damaged")
        sealed = cipher.open(data[:NONCE_BYTES], data[NONCE_BYTES:], self._bound(name, context))
        return sealed.decode("utf-8", "surrogatepass")

    def is_current(self, stored: str) -> bool:
        """Whether ``stored`` is sealed with the newest key."""
        return stored.startswith(f"{_SEALED}{self.ring.newest.id}.")

    def _bound(self, name: str, context: str) -> bytes:
        return b"\0".join((_SEALED.encode(), name.encode(), self._purpose, _bytes(context)))


def is_sealed(stored: str) -> bool:
    """Whether a stored text is a sealed one."""
    return stored.startswith(_SEALED)


def store_plain(text: str) -> str:
    """``text`` for storing without a key."""
    return _PLAIN + text if text.startswith((_SEALED, _PLAIN)) else text


def open_plain(stored: str) -> str:
    """What ``store_plain`` was given; raises :class:`SealError` ``data_key_missing``."""
    if is_sealed(stored):
        raise SealError("data_key_missing", "sealed data, but QIANMEN_DATA_KEY is not set")
    return stored.removeprefix(_PLAIN)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
