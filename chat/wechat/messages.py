"""What may be sent to a citizen, as the platform takes it (客服接口, 发消息)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXT_BYTES = 2048
"""A text is at most so many bytes of UTF-8; beyond that errcode 45002."""


@dataclass(frozen=True, slots=True)
class Text:
    """A plain text of at most ``TEXT_BYTES`` bytes."""

    content: str


@dataclass(frozen=True, slots=True)
class News:
    """A link as a card; more than one a message the platform refuses (45008)."""

    title: str
    url: str
    description: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu: a click on it comes back as a text with ``bizmsgmenuid`` ``id``."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A question with things to click (``msgmenu``)."""

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that stands at the platform under ``media_id``."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice file that stands at the platform under ``media_id``."""

    media_id: str


Message = Text | News | Menu | Image | Voice


def body(openid: str, message: Message) -> dict[str, Any]:
    """The JSON of ``message/custom/send``."""
    fields: dict[str, Any]
    match message:
        case Text():
            kind, fields = "text", {"content": message.content}
        case News():
            kind, fields = "news", {"articles": [_article(message)]}
        case Menu():
            kind, fields = "msgmenu", _menu(message)
        case Image():
            kind, fields = "image", {"media_id": message.media_id}
        case Voice():
            kind, fields = "voice", {"media_id": message.media_id}
    return {"touser": openid, "msgtype": kind, kind: fields}


def _article(news: News) -> dict[str, str]:
    article = {"title": news.title, "description": news.description, "url": news.url}
    return {**article, "picurl": news.picture} if news.picture else article


def _menu(menu: Menu) -> dict[str, Any]:
    choices = [{"id": choice.id, "content": choice.content} for choice in menu.choices]
    return {"head_content": menu.head, "list": choices, "tail_content": menu.tail}


def size(text: str) -> int:
    """Bytes of ``text`` as the platform counts them; a lone surrogate is none of UTF-8."""
    return len(text.encode("utf-8", "replace"))
