"""WeChat's message encryption: AES-256-CBC with the EncodingAESKey, the AppID at the end.

What is sealed: 16 random bytes, the length of the text (4 bytes, big-endian), the text, the AppID;
padded (PKCS#7) to blocks of 32 bytes. The IV is the key's first half. The cipher says nothing of
who made it: ``msg_signature`` is verified before anything is opened, so that a padding that is
wrong tells nobody anything.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from chat.wechat.incoming_errors import IncomingError

BLOCK = 32
_RANDOM = 16
_HEAD = struct.Struct(f">{_RANDOM}sI")
_AES_KEY = re.compile(r"[0-9A-Za-z+/]{43}")


@dataclass(frozen=True, slots=True)
class AesKey:
    """One EncodingAESKey, decoded: 32 bytes."""

    raw: bytes = field(repr=False)

    def decrypt(self, data: bytes) -> bytes:
        """Whole blocks, still padded."""
        opener = self._cipher().decryptor()
        return opener.update(data) + opener.finalize()

    def encrypt(self, data: bytes) -> bytes:
        """Whole blocks, padded before."""
        sealer = self._cipher().encryptor()
        return sealer.update(data) + sealer.finalize()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.raw), modes.CBC(self.raw[:16]))


def aes_key(text: str) -> AesKey:
    """An EncodingAESKey of 43 characters; raises :class:`IncomingError` ``aes_key_invalid``.

    Its last character carries two bits that mean nothing; the platform's own samples set them.
    """
    if not _AES_KEY.fullmatch(text):
        raise IncomingError("aes_key_invalid")
    return AesKey(base64.b64decode(text + "="))


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed, and the key that it was sealed with: the answer takes the same one."""

    text: bytes
    key: AesKey


def unseal(keys: Iterable[AesKey], appid: str, sealed: str) -> Opened:
    """Open ``sealed`` (base64) with the first of ``keys`` that fits.

    Raises :class:`IncomingError`: ``cipher_broken`` (no cipher text), ``cipher_wrong`` (no key
    fits), ``appid_other`` (sealed for another account).
    """
    data = _decoded(sealed)
    other = False
    for key in keys:
        found = _content(key.decrypt(data))
        if found is None:
            continue
        text, owner = found
        if hmac.compare_digest(owner, appid.encode()):
            return Opened(text, key)
        other = True
    raise IncomingError("appid_other" if other else "cipher_wrong")


def _decoded(sealed: str) -> bytes:
    try:
        data = base64.b64decode(sealed.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise IncomingError("cipher_broken") from None
    if not data or len(data) % BLOCK:  # the padding makes blocks of 32
        raise IncomingError("cipher_broken")
    return data


def _content(padded: bytes) -> tuple[bytes, bytes] | None:
    """The text and whose it is; None where the padding or the length cannot be."""
    fill = padded[-1]
    if not 1 <= fill <= BLOCK or padded[-fill:] != bytes([fill]) * fill:
        return None
    body = padded[:-fill]
    if len(body) < _HEAD.size:
        return None
    _, length = _HEAD.unpack_from(body)
    if length > len(body) - _HEAD.size:
        return None
    end = _HEAD.size + length
    return body[_HEAD.size : end], body[end:]


def seal(key: AesKey, appid: str, text: bytes, random: bytes = b"") -> str:
    """``text`` sealed for ``appid``, as base64.

    ``random``: 16 bytes. Without, they are made from key and text, so that a retry gets the very
    bytes that the first answer had; another text has others.
    """
    head = random or hmac.new(key.raw, text, hashlib.sha256).digest()[:_RANDOM]
    plain = _HEAD.pack(head, len(text)) + text + appid.encode()
    fill = BLOCK - len(plain) % BLOCK
    return base64.b64encode(key.encrypt(plain + bytes([fill]) * fill)).decode("ascii")
