"""What every page's frame must be, whichever page it comes from: a JSON object in one text frame.

The citizen's page and the agent's desk read theirs with it.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeGuard

from chat.errors import ChatError

MAX_FRAME_BYTES = 16 * 1024
MAX_CURSOR = 2**31 - 1
"""The largest cursor a client may name: the ids of turns end there on PostgreSQL."""

_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
# Characters that no sentence needs and that only hide text or break logs; \t \n \r stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")


def members(frame: str | bytes) -> dict[str, Any]:
    """The members of one frame; raises :class:`ChatError` ``frame_binary``, ``frame_too_big``,
    ``frame_malformed``.
    """
    if isinstance(frame, bytes):
        raise ChatError("frame_binary", "only text frames are understood")
    if len(frame) > MAX_FRAME_BYTES or len(frame.encode("utf-8", "replace")) > MAX_FRAME_BYTES:
        raise ChatError("frame_too_big", f"a frame is at most {MAX_FRAME_BYTES} bytes")
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError):
        raise ChatError("frame_malformed", "not JSON") from None
    if not isinstance(fields, dict):
        raise ChatError("frame_malformed", "not a JSON object")
    return fields


def is_id(value: object) -> TypeGuard[str]:
    """Whether a client may name a message so: 8 to 64 letters, digits, - or _."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_cursor(value: object) -> TypeGuard[int]:
    """Whether it is a whole number from 0 that a cursor may be."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_CURSOR


def clean(text: str) -> str:
    """Without hidden characters and lone surrogates (JSON allows them, UTF-8 does not)."""
    return _CONTROL.sub("", text.encode("utf-8", "ignore").decode()).strip()
