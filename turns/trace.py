"""The id that joins what all processes log of one turn."""

from __future__ import annotations

import hashlib
import re

_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}")


def trace_of(conversation: str, heard: str) -> str:
    """The trace id of a citizen's turn, the same whenever and wherever it is asked for.

    32 hex digits, as W3C Trace Context wants a trace-id (§3.2.2.3).
    """
    return hashlib.sha256(f"{conversation}\n{heard}".encode("utf-8", "replace")).hexdigest()[:32]


def is_trace(text: str) -> bool:
    """Whether ``text`` is a trace id."""
    return _TRACE.fullmatch(text) is not None
