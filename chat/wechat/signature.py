"""Whether a request comes from WeChat: its signature, its time. Pure.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html and, for
``msg_signature``, .../Message_Management/Message_encryption_and_decryption_instructions.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

_STAMP = re.compile(r"[0-9]{1,12}")


def signature(*parts: str) -> str:
    """SHA-1 of ``parts`` sorted and joined, as 40 hexadecimal digits.

    Of token, timestamp and nonce it is ``signature``; with the cipher text, ``msg_signature``.
    """
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    # The platform's choice: SHA-1 is not used here against collisions but as its protocol says.
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def is_signed(given: str, token: str, *parts: str) -> bool:
    """Whether ``given`` is the signature of ``token`` and ``parts``; takes the same time for any
    ``given``. An empty token signs nothing.
    """
    if not token:
        return False
    right = signature(token, *parts).encode("ascii")
    return hmac.compare_digest(right, given.encode("utf-8", "surrogatepass"))


def signed_by(given: str, tokens: Iterable[str], *parts: str) -> str | None:
    """The first of ``tokens`` (the current one, the one before) that signed ``parts``."""
    return next((token for token in tokens if is_signed(given, token, *parts)), None)


def is_timely(timestamp: str, now_s: float, skew_s: float) -> bool:
    """Whether ``timestamp`` (s since 1970, as text) lies within ``skew_s`` of ``now_s``."""
    return _STAMP.fullmatch(timestamp) is not None and abs(now_s - int(timestamp)) <= skew_s
