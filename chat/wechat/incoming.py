"""What a user of an Official Account sent or did, and what of it is heard. Pure.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from chat.frames import Place
from chat.saying import geo_of, place_told
from chat.wechat import emoji
from chat.wechat.envelope import Fields, text_of
from chat.wechat.incoming_errors import IncomingError
from chat.wechat.quota import Deed
from turns.heard import Attachment, Heard, HeardKind

CHANNEL = "wechat"
Kind = Literal[
    "text", "voice", "image", "video", "shortvideo", "location", "link", "event", "other"
]  # fmt: skip
Mode = Literal["plain", "compatible", "secure"]
_KINDS: dict[str, Kind] = {
    "text": "text", "voice": "voice", "image": "image", "video": "video", "event": "event",
    "shortvideo": "shortvideo", "location": "location", "link": "link",
}  # fmt: skip
MEDIA: dict[Kind, str] = {
    "image": "photo", "voice": "voice", "video": "video", "shortvideo": "video",
}  # fmt: skip
"""Kinds that come as a file which the platform keeps, and what it is kept as."""
STICKER = "sticker"
"""What is heard of an emoji or a sticker alone: an event of that name."""
RECOGNISED = 0.8
"""The platform tells no confidence of its own recognition. It stands where words are acted on, and
what matters is read back before it becomes an order."""
_CLICKS: dict[str, Deed] = {
    "subscribe": "subscribe", "scan": "scan", "click": "click", "scancode_push": "click",
    "scancode_waitmsg": "click",
}  # fmt: skip
"""Of the menu's buttons the platform names these three as opening the minute (客服消息)."""
_NAME = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_OPENID = re.compile(r"[A-Za-z0-9_\-@.]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_STAMP = re.compile(r"[0-9]{1,10}")
_LONGEST = 8192
_SCENE = "qrscene_"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message or event. ``id``: its ``Heard.id``, the same in every retry.

    ``account``: the ``gh_…`` written to. ``at``: when, by the platform's clock. ``key``: of the
    menu's button, or the scene of a code that was scanned. ``menu_id``: of the clicked line of a
    ``msgmenu``. ``recognition``: the platform's, of a voice note; '' where it gave none.
    ``lat``, ``lon`` in degrees (GCJ-02), ``label`` the address; of a link its description.
    """

    account: str
    openid: str
    kind: Kind
    id: str
    at: datetime
    text: str = ""
    media_id: str = ""
    format: str = ""
    recognition: str = ""
    pic_url: str = ""
    url: str = ""
    lat: float | None = None
    lon: float | None = None
    label: str = ""
    event: str = ""
    key: str = ""
    menu_id: str = ""
    raw_mode: Mode = "plain"

    @property
    def deed(self) -> Deed | None:
        """What it allows us to send by itself; a click on a ``msgmenu`` is no message of theirs."""
        if self.kind == "event":
            return _CLICKS.get(self.event)
        return "click" if self.menu_id else "message"

    @property
    def media(self) -> str:
        """As what its file is kept; '' where it has none that is needed."""
        return MEDIA.get(self.kind, "") if self.media_id else ""

    @property
    def unheard(self) -> bool:
        """A voice note that nobody has recognised yet."""
        return self.kind == "voice" and not self.recognition and bool(self.media_id)


def incoming_of(fields: Fields, mode: Mode = "plain") -> Incoming:
    """Read the fields of a message; raises :class:`IncomingError` ``field_invalid``.

    A kind that nobody knows is ``other``: the platform invents new ones, and goes on with the next.
    """
    account = _must(_NAME, text_of(fields, "ToUserName"))
    openid = _must(_OPENID, text_of(fields, "FromUserName"))
    stamp = int(_must(_STAMP, text_of(fields, "CreateTime")))
    kind = _KINDS.get(text_of(fields, "MsgType").lower(), "other")
    number = text_of(fields, "MsgId")
    if kind not in ("event", "other"):
        _must(_NUMBER, number)
    event = text_of(fields, "Event").lower() if kind == "event" else ""
    lat, lon = _place(fields, event)
    return Incoming(
        account=account, openid=openid, kind=kind, raw_mode=mode,
        id=_id(fields, kind, number, event), at=_moment(stamp),
        text=_text(fields, kind, event)[:_LONGEST],
        media_id=text_of(fields, "MediaId")[:512],
        format=text_of(fields, "Format").lower()[:20],
        recognition=text_of(fields, "Recognition")[:_LONGEST],
        pic_url=text_of(fields, "PicUrl")[:2048], url=text_of(fields, "Url")[:2048],
        lat=lat, lon=lon, label=_label(fields, kind, event)[:200],
        event=event[:64], key=_key(fields, event)[:128],
        menu_id=text_of(fields, "bizmsgmenuid")[:64],
    )  # fmt: skip


def _must(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise IncomingError("field_invalid")
    return text


def _moment(stamp: int) -> datetime:
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, ValueError, OSError):
        raise IncomingError("field_invalid") from None


def _id(fields: Fields, kind: Kind, number: str, event: str) -> str:
    """The message's number; an event has none but by whom, when and what it is.

    The OpenID stands in it as a digest: ids are kept plainly. It has 150 bits of chance.
    """
    if kind != "event" and _NUMBER.fullmatch(number):
        return f"wx:{number}"
    whole = (
        text_of(fields, "ToUserName"), text_of(fields, "FromUserName"), event,
        text_of(fields, "EventKey"),
    )  # fmt: skip
    digest = hashlib.sha256("\0".join(whole).encode("utf-8", "replace")).hexdigest()[:24]
    return f"wx:{digest}:{text_of(fields, 'CreateTime')}:{event[:32]}"


def _text(fields: Fields, kind: Kind, event: str) -> str:
    if kind == "link":
        return text_of(fields, "Title")
    if event.startswith("scancode"):
        return text_of(fields, "ScanCodeInfo", "ScanResult")
    if event == "templatesendjobfinish":
        return text_of(fields, "Status")
    return text_of(fields, "Content") if kind == "text" else ""


def _label(fields: Fields, kind: Kind, event: str) -> str:
    if event == "location_select":
        place = text_of(fields, "SendLocationInfo", "Poiname")
        return f"{text_of(fields, 'SendLocationInfo', 'Label')}{place}"
    return text_of(fields, "Description" if kind == "link" else "Label")


def _key(fields: Fields, event: str) -> str:
    key = text_of(fields, "EventKey")
    return key.removeprefix(_SCENE) if event == "subscribe" else key


def _place(fields: Fields, event: str) -> tuple[float | None, float | None]:
    if event == "location":
        return _degrees(fields, ("Latitude",), 90), _degrees(fields, ("Longitude",), 180)
    above = ("SendLocationInfo",) if event == "location_select" else ()
    return (
        _degrees(fields, (*above, "Location_X"), 90),
        _degrees(fields, (*above, "Location_Y"), 180),
    )


def _degrees(fields: Fields, path: tuple[str, ...], most: float) -> float | None:
    """A coordinate; None where it is none: the address is worth hearing without it."""
    try:
        value = float(text_of(fields, *path)[:40])
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= most else None


def heard_of(incoming: Incoming, line: str, conversation: str) -> Heard | None:
    """What the citizen said by it, for the conversation's core; None where that is nothing.

    A voice note that the platform did not recognise is heard later, under the same id. Options
    that were chosen, and buttons of the menu, are for who knows what was asked
    (``chat.wechat.choosing``).
    """
    said = _said(incoming)
    if said is None:
        return None
    kind, text, attachments, confidence = said
    return Heard(
        id=incoming.id, conversation=conversation, channel=CHANNEL, line=line, kind=kind, text=text,
        at=incoming.at, confidence=confidence, attachments=attachments,
    )  # fmt: skip


_Said = tuple[HeardKind, str, tuple[Attachment, ...], float]


def _said(incoming: Incoming) -> _Said | None:
    match incoming.kind:
        case "text":
            return _written(incoming.text)
        case "voice":
            if incoming.unheard:
                return None
            spoken = emoji.words(incoming.recognition)
            sent = (Attachment("voice", "", spoken),)
            return ("speech" if spoken else "event"), spoken, sent, RECOGNISED
        case "image":
            return "event", "", (Attachment("image"),), 1.0
        case "video" | "shortvideo":
            return "event", "", (Attachment("video"),), 1.0
        case "location":
            return _placed(incoming)
        case "link":
            parts = (incoming.text, incoming.label, incoming.url)
            return "text", " ".join(filter(None, parts)), (), 1.0
        case _:
            return None


def _written(text: str) -> _Said:
    said = "" if emoji.is_sticker(text) else emoji.words(text)
    if said:
        return "text", said, (), 1.0
    return "event", STICKER, (), 1.0


def _placed(incoming: Incoming) -> _Said:
    """As a place of the web chat: the address, else where it lies in words, and the pin."""
    place = Place("", incoming.lat, incoming.lon, incoming.label)
    if incoming.label == "" and (incoming.lat is None or incoming.lon is None):
        return "event", STICKER, (), 1.0
    told = place_told(place)
    return "text", told, (Attachment("place", geo_of(incoming.lat, incoming.lon), told),), 1.0
