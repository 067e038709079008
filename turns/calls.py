"""Desk to phone and back, over Redis streams: what to do with a call, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verb = Literal["bridge", "whisper", "hold", "resume", "mute", "three_way", "transfer", "hangup"]
CallState = Literal["ringing", "answered", "held", "bridged", "failed", "ended"]
Leg = Literal["caller", "target"]


@dataclass(frozen=True, slots=True)
class CallCommand:
    """An order to the node that holds ``call``; commands are idempotent by ``id``."""

    id: str
    call: str
    verb: Verb
    target: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """What became of one leg of ``call``; ``cause`` is a stable code or a SIP status."""

    call: str
    state: CallState
    leg: Leg
    at: datetime
    cause: str = ""
