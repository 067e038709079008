"""Sealed bytes of any kind: the key's id (4 bytes), a random nonce, cipher text and tag."""

from __future__ import annotations

import hashlib
import hmac
import os

from sealing.errors import SealError
from sealing.keys import NONCE_BYTES, Keyring

_ID_BYTES = 4


class BlobSeal:
    """Seals and opens bytes for one ``purpose``; ``context`` must be the same both times."""

    def __init__(self, ring: Keyring, purpose: str) -> None:
        self._ring = ring
        self._ciphers = {key.id: key.cipher(purpose) for key in ring.keys}
        self._names = ring.newest.derived(f"{purpose} names")

    def name(self, plain: str) -> str:
        """A name that only who has the key can tell from ``plain``: 64 hexadecimal digits."""
        return hmac.new(self._names, plain.encode(), hashlib.sha256).hexdigest()

    def seal(self, data: bytes, context: str) -> bytes:
        """``data`` encrypted with the newest key."""
        key, nonce = self._ring.newest, os.urandom(NONCE_BYTES)
        head = bytes.fromhex(key.id)
        return head + nonce + self._ciphers[key.id].seal(nonce, data, head + context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What ``seal`` was given.

        Raises :class:`SealError` ``data_key_wrong``, ``sealed_broken``.
        """
        head, rest = sealed[:_ID_BYTES], sealed[_ID_BYTES:]
        if len(rest) < NONCE_BYTES:
            raise SealError("sealed_broken", "sealed bytes are cut off")
        cipher = self._ciphers[self._ring.named(head.hex()).id]
        return cipher.open(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + context.encode())
