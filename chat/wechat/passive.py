"""The answer to a request of WeChat's: one message at once (被动回复), or ``success``. Pure.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chat.wechat.crypto import AesKey, seal
from chat.wechat.messages import TEXT_BYTES, Message, News, Text, size
from chat.wechat.signature import signature

SUCCESS = b"success"
"""Nothing at once; the platform does not ask again."""
Format = Literal["xml", "json"]
_CUT = "…"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Way:
    """How the request came, and so how its answer goes: ``key`` None plainly, else sealed with the
    key and signed with the token that it came with.
    """

    format: Format
    appid: str
    token: str
    key: AesKey | None


def dumped(message: Message | None) -> str:
    """To be kept for retries; '' for nothing, and for what is no passive message."""
    match message:
        case Text(content):
            return json.dumps({"text": content}, ensure_ascii=False)
        case News(title, url, description, picture):
            card = {"title": title, "url": url, "description": description, "picture": picture}
            return json.dumps(card, ensure_ascii=False)
        case _:
            return ""


def loaded(kept: str) -> Text | News | None:
    """What ``dumped`` was given; None for '' and for what another version wrote."""
    try:
        found = json.loads(kept) if kept else {}
        return Text(found["text"]) if "text" in found else News(**found) if found else None
    except (ValueError, TypeError, KeyError):
        return None


def answer(message: Text | News | None, to: str, account: str, at_s: int, way: Way) -> bytes:
    """The body to answer with: from ``account`` to the OpenID ``to``, made at ``at_s``.

    The same arguments give the same bytes: that is what a retry gets.
    """
    if message is None:
        return SUCCESS
    fields: dict[str, Any] = {"ToUserName": to, "FromUserName": account, "CreateTime": at_s}
    plain = _written({**fields, **_content(message)}, way.format)
    if way.key is None:
        return plain
    sealed = seal(way.key, way.appid, plain)
    stamp, nonce = str(at_s), _nonce(way.key, sealed)
    envelope: dict[str, Any] = {
        "Encrypt": sealed, "MsgSignature": signature(way.token, stamp, nonce, sealed),
        "TimeStamp": at_s, "Nonce": nonce,
    }  # fmt: skip
    return _written(envelope, way.format)


def _nonce(key: AesKey, sealed: str) -> str:
    return str(int.from_bytes(hmac.digest(key.raw, sealed.encode(), "sha256")[:4]))


def _content(message: Text | News) -> dict[str, Any]:
    if isinstance(message, Text):
        return {"MsgType": "text", "Content": _within(message.content, TEXT_BYTES)}
    article = {
        "Title": message.title, "Description": message.description, "PicUrl": message.picture,
        "Url": message.url,
    }  # fmt: skip
    return {"MsgType": "news", "ArticleCount": 1, "Articles": [article]}


def _within(text: str, most: int) -> str:
    """Longer texts the platform refuses as a whole; who packs messages makes none."""
    if size(text) <= most:
        return text
    head = text.encode("utf-8", "replace")[: most - size(_CUT)]
    return head.decode("utf-8", "ignore") + _CUT


def _written(fields: Mapping[str, Any], format_: Format) -> bytes:
    if format_ == "json":
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    return f"<xml>{_elements(fields)}</xml>".encode("utf-8", "replace")


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: Any) -> str:
    match value:
        case int():
            return str(value)
        case list():
            return "".join(f"<item>{_elements(item)}</item>" for item in value)
        case _:
            return f"<![CDATA[{_cdata(str(value))}]]>"


def _cdata(text: str) -> str:
    """``text`` as it may stand in CDATA: no end of it, nothing that XML 1.0 forbids."""
    return _FORBIDDEN.sub(" ", text).replace("]]>", "]]]]><![CDATA[>")
