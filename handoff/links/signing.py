"""Messages signed by HMAC-SHA256 over timestamp and body, as Stripe and Chatwoot do. Pure.

``Qianmen-Timestamp``: Unix time, s. ``Qianmen-Signature``: ``v1=HEX``, one for each key of a
rotation, separated by commas, each HMAC-SHA256(key, TIMESTAMP + "." + BODY). ``Qianmen-Delivery``:
the message's id, the same in every try; it stands in the signed body as ``id`` too, and that one
counts. The same header names are used in both directions and in signed replies.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

TIMESTAMP = "Qianmen-Timestamp"
SIGNATURE = "Qianmen-Signature"
DELIVERY = "Qianmen-Delivery"
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")
_LONGEST = 400
"""Characters of a signature's header: four signatures and their commas."""


class SignatureError(Exception):
    """A message that is not to be believed.

    ``code``: ``signature_missing``, ``signature_malformed``, ``signature_stale`` (or from the
    future), ``signature_wrong``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def signature(key: bytes, timestamp: int, body: bytes) -> str:
    """The signature in lower-case hexadecimal."""
    return hmac.new(key, b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def signed(keys: Sequence[bytes], delivery: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that a message with ``body`` is sent with."""
    timestamp = int(now.timestamp())
    marks = ",".join(f"v1={signature(key, timestamp, body)}" for key in keys)
    return {TIMESTAMP: str(timestamp), SIGNATURE: marks, DELIVERY: delivery}


def verify(
    keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, *, now: datetime, window_s: int
) -> int:
    """The message's timestamp (Unix, s), where one of ``keys`` signed it within ``window_s``.

    ``headers`` finds its names in whatever case, as httpx's and starlette's do. Compared in
    constant time. Raises :class:`SignatureError`.
    """
    stamp, marks = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not stamp or not marks:
        raise SignatureError("signature_missing")
    if not _TIMESTAMP.fullmatch(stamp) or len(marks) > _LONGEST:
        raise SignatureError("signature_malformed")
    claimed = [mark.strip().removeprefix("v1=") for mark in marks.split(",") if "v1=" in mark]
    if not claimed or not all(_HEX.fullmatch(mark) for mark in claimed):
        raise SignatureError("signature_malformed")
    if not any(_is_of(key, int(stamp), body, mark) for key in keys for mark in claimed):
        raise SignatureError("signature_wrong")
    if abs(now.timestamp() - int(stamp)) > window_s:  # told only to who has the key
        raise SignatureError("signature_stale")
    return int(stamp)


def _is_of(key: bytes, timestamp: int, body: bytes, mark: str) -> bool:
    return hmac.compare_digest(signature(key, timestamp, body), mark)
