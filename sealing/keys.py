"""Keys: how they are written, told apart and turned into ciphers.

A key is written ``qk1.ALGORITHM.BASE64URL``. Several, parted by spaces, commas or lines, are a
keyring: the first seals, all open. AES-256-GCM is NIST SP 800-38D; SM4 is GB/T 32907, asked for by
GB/T 39786 and GM/T 0002 where a system must use commercial cryptography, here in the same mode
(RFC 8998 uses it so). The tag has 16 bytes, the nonce 12.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealing.errors import SealError

Algorithm = Literal["aes256", "sm4"]
NONCE_BYTES = 12
TAG_BYTES = 16
_KEY_BYTES: dict[Algorithm, int] = {"aes256": 32, "sm4": 16}
_BLOCK = {"aes256": algorithms.AES, "sm4": algorithms.SM4}
# SM4's companion is SM3 (GB/T 32905).
_HASH = {"aes256": hashes.SHA256, "sm4": hashes.SM3}
_WRITTEN = re.compile(r"qk1\.(aes256|sm4)\.([A-Za-z0-9_-]+)")
_INVALID = (
    "密钥应当是 qk1.aes256.… 或 qk1.sm4.… 这样的一行，由 qianmen data new-key 生成；"
    "请整行复制到 QIANMEN_DATA_KEY"
)
_PARTED = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``id`` (8 hexadecimal digits) names it in what it sealed and tells nothing of it."""

    algorithm: Algorithm
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The first 32 bits of a hash over the key."""
        named = b"qianmen key id\0" + self.algorithm.encode() + b"\0" + self.secret
        return hashlib.sha256(named).hexdigest()[:8]

    def derived(self, purpose: str, salt: bytes = b"") -> bytes:
        """The key for one ``purpose`` only (HKDF, RFC 5869), as long as the key itself."""
        length = _KEY_BYTES[self.algorithm]
        info = f"qianmen {purpose}".encode()
        kdf = HKDF(_HASH[self.algorithm](), length, salt or None, info)
        return kdf.derive(self.secret)

    def cipher(self, purpose: str, salt: bytes = b"") -> Gcm:
        """What seals and opens for one ``purpose``."""
        return Gcm(self.algorithm, self.derived(purpose, salt))


class Gcm:
    """One derived key in Galois/counter mode."""

    def __init__(self, algorithm: Algorithm, secret: bytes) -> None:
        self._block = _BLOCK[algorithm](secret)

    def seal(self, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        """``plain`` encrypted, the tag behind it. A ``nonce`` must never come twice."""
        encryptor = Cipher(self._block, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated)
        return encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def open(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """What ``seal`` was given; raises :class:`SealError` ``sealed_broken``."""
        if len(sealed) < TAG_BYTES:
            raise _broken()
        mode = modes.GCM(nonce, sealed[-TAG_BYTES:])
        decryptor = Cipher(self._block, mode).decryptor()
        decryptor.authenticate_additional_data(associated)
        try:
            return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()
        except InvalidTag:
            raise _broken() from None


class Keyring:
    """The installation's keys: the first one seals, all of them open."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self._by_id = {key.id: key for key in keys}

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def named(self, name: str) -> Key:
        """The key of that id; raises :class:`SealError` ``data_key_wrong``."""
        key = self._by_id.get(name)
        if key is None:
            raise SealError("data_key_wrong", f"sealed with another key ({name})")
        return key


def new_key(algorithm: Algorithm = "aes256") -> str:
    """A fresh key, as it is written."""
    secret = secrets.token_bytes(_KEY_BYTES[algorithm])
    return f"qk1.{algorithm}.{encoded(secret)}"


def keyring(written: str) -> Keyring | None:
    """The keys of the setting; None where it is empty.

    Raises :class:`SealError` ``data_key_invalid``, which never repeats what was written.
    """
    parts = [part for part in _PARTED.split(written) if part]
    return Keyring(tuple(dict.fromkeys(map(_key, parts)))) if parts else None


def _key(written: str) -> Key:
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise SealError("data_key_invalid", _INVALID)
    algorithm: Algorithm = "sm4" if match[1] == "sm4" else "aes256"
    secret = decoded(match[2])
    if secret is None or len(secret) != _KEY_BYTES[algorithm]:
        raise SealError("data_key_invalid", f"{algorithm} 密钥不完整或抄错了字符；{_INVALID}")
    return Key(algorithm, secret)


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes | None:
    """The bytes of ``encoded``; None unless ``text`` is exactly what ``encoded`` writes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encoded(data) == text else None


def _broken() -> SealError:
    return SealError("sealed_broken", "what is sealed was changed, cut or damaged")
