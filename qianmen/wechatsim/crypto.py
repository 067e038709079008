"""WeChat's signature and message cipher, from the documentation of message push.

https://developers.weixin.qq.com/doc/service/guide/dev/push/encryption.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_HEAD = 20  # 16 random bytes, 4 of length


class CipherError(ValueError):
    """What does not open; ``code``: key, base64, length, padding, content, appid."""

    def __init__(self, code: str) -> None:
        super().__init__(f"cipher: {code}")
        self.code = code


def signature(*parts: str) -> str:
    """SHA-1 (hexadecimal) of the parts in order of their characters, joined."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def key_of(aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey; raises :class:`CipherError` ``key``."""
    try:
        key = base64.b64decode(aes_key + "=")
    except (binascii.Error, ValueError):
        key = b""
    if len(aes_key) != 43 or len(key) != 32:
        raise CipherError("key")
    return key


def seal(aes_key: str, appid: str, text: bytes, random: bytes = b"") -> str:
    """``text`` encrypted for ``appid``, in base64; ``random`` is 16 bytes, made where none."""
    key = key_of(aes_key)
    head = random or secrets.token_hex(8).encode()
    plain = head + struct.pack(">I", len(text)) + text + appid.encode()
    fill = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def unseal(aes_key: str, appid: str, sealed: str) -> bytes:
    """The text of ``sealed``; raises :class:`CipherError`, also for another account's."""
    key = key_of(aes_key)
    try:
        data = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise CipherError("base64") from None
    if not data or len(data) % 16:
        raise CipherError("length")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    return _content(_unpadded(plain), appid)


def _unpadded(plain: bytes) -> bytes:
    fill = plain[-1]
    if not 1 <= fill <= _BLOCK or plain[-fill:] != bytes([fill]) * fill:
        raise CipherError("padding")
    return plain[:-fill]


def _content(plain: bytes, appid: str) -> bytes:
    if len(plain) < _HEAD:
        raise CipherError("content")
    end = _HEAD + int(struct.unpack(">I", plain[16:_HEAD])[0])
    if end > len(plain):
        raise CipherError("content")
    if plain[end:] != appid.encode():
        raise CipherError("appid")
    return plain[_HEAD:end]
