"""The answer to a push, judged as strictly as the platform judges it. Pure.

https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qianmen.wechatsim import xmlwire
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.crypto import CipherError, signature, unseal
from qianmen.wechatsim.xmlwire import Element, XmlError

TEXT_BYTES = 2048
SKEW_S = 300
_SILENT = (b"", b"success")


class Violation(ValueError):  # noqa: N818  # the platform's word for it
    """What no citizen would have been shown; ``code`` says which rule it breaks."""

    def __init__(self, code: str) -> None:
        super().__init__(f"passive reply: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Article:
    """One card."""

    title: str
    description: str
    url: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Passive:
    """What the citizen is shown at once: nothing (kind ''), text, cards or one medium."""

    kind: str = ""
    text: str = ""
    articles: tuple[Article, ...] = ()
    media_id: str = ""


def judged(
    account: Account, message: Mapping[str, Any], status: int, body: bytes, at: int
) -> Passive:
    """What ``body`` shows the sender of ``message``; raises :class:`Violation`.

    ``at``: seconds of the epoch. ``account`` has the key that the push was made with: the answer
    must be made with the same one.
    """
    if status != 200:
        raise Violation(f"status_{status}")
    if body in _SILENT:
        return Passive()
    fields = _fields(_plain(account, body, at), account)
    if fields.text("ToUserName") != message["FromUserName"]:
        raise Violation("to_somebody_else")
    if fields.text("FromUserName") != message["ToUserName"]:
        raise Violation("from_somebody_else")
    if abs(fields.number("CreateTime") - at) > SKEW_S:
        raise Violation("time_off")
    return _shown(fields, spoken_to=message["MsgType"] != "event")


def _plain(account: Account, body: bytes, at: int) -> bytes:
    if account.mode == "plain":
        return body
    envelope = _envelope(account, body)
    if envelope is None:
        if account.mode == "secure":
            raise Violation("not_encrypted")
        return body
    sealed, signed, stamp, nonce = envelope
    if signed != signature(account.token, stamp, nonce, sealed):
        raise Violation("signature")
    if not stamp.isdecimal() or abs(int(stamp) - at) > SKEW_S:
        raise Violation("time_off")
    try:
        return unseal(account.aes_key, account.appid, sealed)
    except CipherError as error:
        raise Violation(f"cipher_{error.code}") from None


def _envelope(account: Account, body: bytes) -> tuple[str, str, str, str] | None:
    fields = _fields(body, account)
    if not fields.has("Encrypt"):
        return None
    return (fields.text("Encrypt"), fields.text("MsgSignature"), str(fields.number("TimeStamp")),
            fields.text("Nonce"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fields:
    """A document's fields, whichever format: each reader raises :class:`Violation`."""

    read: Callable[[str], str | int | None]
    inner: Callable[[str], list[_Fields]]

    def has(self, name: str) -> bool:
        return self.read(name) is not None

    def text(self, name: str) -> str:
        value = self.read(name)
        if not isinstance(value, str):
            raise Violation(f"{name}_missing" if value is None else f"{name}_not_cdata")
        return value

    def number(self, name: str) -> int:
        value = self.read(name)
        if not isinstance(value, int):
            raise Violation(f"{name}_not_a_number")
        return value


def _fields(body: bytes, account: Account) -> _Fields:
    if account.format == "json":
        return _of_json(_parsed(body))
    try:
        return _of_xml(xmlwire.read(body))
    except XmlError as error:
        raise Violation(f"xml_{error.code}") from None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise Violation("json_malformed") from None
    if not isinstance(found, dict):
        raise Violation("json_malformed")
    return found


def _of_json(fields: Mapping[str, Any]) -> _Fields:
    def read(name: str) -> str | int | None:
        value = fields.get(name)
        return value if isinstance(value, str | int) else None

    def inner(name: str) -> list[_Fields]:
        found = fields.get(name)
        items = found if isinstance(found, list) else [found]  # only ``Articles`` is a list
        return [_of_json(item) for item in items if isinstance(item, dict)]

    return _Fields(read, inner)


def _of_xml(element: Element) -> _Fields:
    """Text is what stood in CDATA alone; a number is bare digits."""

    def read(name: str) -> str | int | None:
        child = element.child(name)
        if child is None:
            return None
        if child.cdata and not child.bare:
            return child.text
        digits = child.text.strip()
        return int(digits) if digits.isdecimal() else 0

    def inner(name: str) -> list[_Fields]:
        child = element.child(name)
        if child is None:
            return []
        items = [_of_xml(item) for item in child.children if item.name == "item"]
        return items if name == "Articles" else [_of_xml(child)]

    return _Fields(read, inner)


def _shown(fields: _Fields, *, spoken_to: bool) -> Passive:
    kind = fields.text("MsgType")
    if kind == "text":
        return Passive("text", _text(fields))
    if kind == "news":
        return Passive("news", articles=_articles(fields, 1 if spoken_to else 8))
    if kind in ("image", "voice", "video"):
        medium = fields.inner(kind.capitalize())
        if not medium:
            raise Violation("medium_missing")
        return Passive(kind, media_id=medium[0].text("MediaId"))
    raise Violation("kind_unknown")


def _text(fields: _Fields) -> str:
    text = fields.text("Content")
    if not text.strip():
        raise Violation("text_empty")
    if len(text.encode()) > TEXT_BYTES:
        raise Violation("text_too_long")
    return text


def _articles(fields: _Fields, most: int) -> tuple[Article, ...]:
    items = fields.inner("Articles")
    if not 1 <= len(items) <= most or fields.number("ArticleCount") != len(items):
        raise Violation("article_count")
    return tuple(
        Article(item.text("Title"), item.text("Description"), item.text("Url"),
                item.text("PicUrl"))
        for item in items
    )  # fmt: skip
