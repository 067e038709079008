"""Keys sent in INFO: application/dtmf-relay and application/dtmf, as gateways send them."""

from __future__ import annotations

import re

from telephony.rtp.events import KEYS
from telephony.sip.message import Request

_SIGNAL = re.compile(
    rb"^[ \t]*signal[ \t]*=[ \t]*([0-9a-d*#]{1,2})[ \t\r]*$", re.IGNORECASE | re.MULTILINE
)
_BARE = re.compile(rb"\s*([0-9a-d*#]{1,2})\s*", re.IGNORECASE)


def info_digit(request: Request) -> str | None:
    """The key in an INFO; ``None`` if it carries none. 10 and 11 stand for * and #."""
    kind = request.first("content-type").partition(";")[0].strip().lower()
    match = None
    if kind == "application/dtmf-relay":
        match = _SIGNAL.search(request.body)
    elif kind == "application/dtmf":
        match = _BARE.fullmatch(request.body)
    if match is None:
        return None
    signal = match[1].decode().upper()
    signal = {"10": "*", "11": "#"}.get(signal, signal)
    return signal if len(signal) == 1 and signal in KEYS else None
