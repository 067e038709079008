"""What a citizen's WeChat sends: the fields of every kind, as WeChat documents them.

Each function gives what stands between the address and the number of a message; the platform adds
``ToUserName``, ``FromUserName``, ``CreateTime`` and, for messages, ``MsgId``.

https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_event_pushes.html
"""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]
UNSUPPORTED = "【收到不支持的消息类型，暂无法显示】"
"""What an account gets in place of a sticker that it may not see, as a text message."""


def text(content: str) -> Fields:
    """Words."""
    return {"MsgType": "text", "Content": content}


def menu_click(content: str, menu_id: str) -> Fields:
    """A line of a menu message (``msgmenu``) was tapped: its words, and which one it was."""
    return {**text(content), "bizmsgmenuid": menu_id}


def sticker() -> Fields:
    """A sticker that accounts are not shown."""
    return text(UNSUPPORTED)


def image(media_id: str, url: str) -> Fields:
    """A photo."""
    return {"MsgType": "image", "PicUrl": url, "MediaId": media_id}


def voice(media_id: str, format: str = "amr", recognition: str | None = None) -> Fields:  # noqa: A002  # WeChat's word
    """A voice note; ``recognition`` only where the account has it switched on ('' is possible)."""
    fields: Fields = {"MsgType": "voice", "MediaId": media_id, "Format": format}
    return fields if recognition is None else {**fields, "Recognition": recognition}


def video(media_id: str, thumb: str, *, short: bool = False) -> Fields:
    """A video; ``short``: taken in WeChat itself."""
    kind = "shortvideo" if short else "video"
    return {"MsgType": kind, "MediaId": media_id, "ThumbMediaId": thumb}


def location(latitude: float, longitude: float, label: str, scale: int = 20) -> Fields:
    """A place picked on the map."""
    return {"MsgType": "location", "Location_X": latitude, "Location_Y": longitude,
            "Scale": scale, "Label": label}  # fmt: skip


def link(title: str, description: str, url: str) -> Fields:
    """A page that was passed on."""
    return {"MsgType": "link", "Title": title, "Description": description, "Url": url}


def event(name: str, **more: Any) -> Fields:
    """Any event."""
    return {"MsgType": "event", "Event": name, **more}


def subscribe(scene: str = "") -> Fields:
    """Began to follow; ``scene``: by a QR code with it."""
    if not scene:
        return event("subscribe", EventKey="")
    return event("subscribe", EventKey=f"qrscene_{scene}", Ticket="TICKET")


def unsubscribe() -> Fields:
    """Follows no more."""
    return event("unsubscribe", EventKey="")


def scan(scene: str) -> Fields:
    """A follower scanned a QR code with a scene."""
    return event("SCAN", EventKey=scene, Ticket="TICKET")


def where(latitude: float, longitude: float, precision: float) -> Fields:
    """The position that a phone tells when the conversation is opened."""
    return event("LOCATION", Latitude=latitude, Longitude=longitude, Precision=precision)


def click(key: str) -> Fields:
    """A button of the account's own menu."""
    return event("CLICK", EventKey=key)


def view(url: str) -> Fields:
    """A button of the account's own menu that opens a page."""
    return event("VIEW", EventKey=url)


def template_sent(msg_id: int, status: str = "success") -> Fields:
    """What became of a template message: success, ``failed:user block``, ``failed: …``."""
    return event("TEMPLATESENDJOBFINISH", MsgID=msg_id, Status=status)
