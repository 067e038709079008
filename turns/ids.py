"""Ids that several rooms must make alike."""

from __future__ import annotations

import hashlib


def conversation_of_call(call_id: str) -> str:
    """The conversation of a SIP Call-ID.

    Hashed: it is foreign text, in which some exchanges write the caller's number or address, and
    the conversation's id stands in logs.
    """
    return f"call-{hashlib.sha256(call_id.encode('utf-8', 'replace')).hexdigest()[:32]}"
