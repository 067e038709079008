"""What a citizen said, typed, pressed or did: one turn on its way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

HeardKind = Literal["speech", "text", "keys", "choice", "silence", "ended", "event"]


@dataclass(frozen=True, slots=True)
class AudioSpan:
    """Where a turn lies in its recording, in milliseconds from the recording's first sample."""

    recording: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something sent along: a picture, a voice file, a place.

    ``kind`` is image, video, voice, file or place; ``url`` points at what we stored.
    """

    kind: str
    url: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading by the recogniser, with its confidence (0 to 1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One citizen turn.

    ``id`` is given by whoever hears it first and makes repeats harmless. ``channel`` is an open
    string (phone, web, wechat, observer …). ``line`` is the number dialled (also from Diversion or
    History-Info) or the account written to. ``confidence`` is the recogniser's, 1.0 for typed text.
    ``kind`` ``choice`` carries the option's value in ``text``; ``keys`` the digits pressed.
    ``at`` is time-zone aware. ``continues`` is the id of a turn that was taken for ended while the
    caller went on: ``text`` holds both parts, and this turn takes that one's place.
    """

    id: str
    conversation: str
    channel: str
    line: str
    kind: HeardKind
    text: str
    at: datetime
    confidence: float = 1.0
    alternatives: tuple[Alternative, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    audio: AudioSpan | None = None
    continues: str = ""
