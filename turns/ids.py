"""Ids that several rooms must make alike."""

from __future__ import annotations

import hashlib

_LIMIT = 180


def conversation_of_call(call_id: str) -> str:
    """The conversation of a SIP Call-ID, which is foreign text of any length."""
    if len(call_id) <= _LIMIT and call_id.isprintable():
        return f"call-{call_id}"
    return f"call-{hashlib.sha256(call_id.encode('utf-8', 'replace')).hexdigest()}"
