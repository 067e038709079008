"""What a browser said, as the turn that is written down."""

from __future__ import annotations

from datetime import datetime

from bot.card import mending
from chat.frames import Choice, Mend, Place, Said, Text
from turns.heard import Attachment, Heard, HeardKind

CHANNEL = "web"


def turn_of(frame: Said, conversation: str, line: str, at: datetime) -> Heard:
    """The turn that ``frame`` is."""
    kind: HeardKind = "choice" if isinstance(frame, Choice) else "text"
    sent: tuple[Attachment, ...] = ()
    match frame:
        case Text():
            text = frame.text
        case Choice():
            text = frame.value
        case Mend():
            text = mending(frame.field, frame.value)
        case Place():
            text = place_told(frame)
            sent = (Attachment("place", geo_of(frame.lat, frame.lon), text),)
    return Heard(
        id=frame.id, conversation=conversation, channel=CHANNEL, line=line, kind=kind, text=text,
        at=at, attachments=sent,
    )  # fmt: skip


def place_told(place: Place) -> str:
    """A place in words: what it is called, else where it lies."""
    if place.label:
        return place.label
    return f"位置：{_degrees(place.lat, '北纬', '南纬')}，{_degrees(place.lon, '东经', '西经')}"


def geo_of(lat: float | None, lon: float | None) -> str:
    """The place as a geo URI (RFC 5870); '' where its coordinates are unknown."""
    return "" if lat is None or lon is None else f"geo:{lat:.6f},{lon:.6f}"


def _degrees(value: float | None, above: str, below: str) -> str:
    value = value or 0.0
    return f"{above if value >= 0 else below}{abs(value):.5f}度"
