"""The body of a customer-service message, checked field by field. Pure.

https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from qianmen.wechatsim.codes import Refusal

TEXT_BYTES = 2048
MENU_LINES = 10
_TITLE_BYTES, _DESCRIPTION_BYTES, _URL_BYTES = 64 * 3, 512 * 3, 1024
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[01])[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of a menu message: what comes back when it is tapped."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Custom:
    """What the citizen is shown. ``escaped``: ``\\uXXXX`` stood in it, and is shown literally."""

    to: str
    kind: str
    text: str
    choices: tuple[Choice, ...] = ()
    url: str = ""
    escaped: bool = False


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a call; raises :class:`Refusal` 44002, 47001."""
    if not body.strip():
        raise Refusal(44002)
    try:
        found = json.loads(body.decode("utf-8"))
    except ValueError:
        raise Refusal(47001) from None
    if not isinstance(found, dict):
        raise Refusal(47001)
    return found


def escaped(body: bytes) -> bool:
    """Whether text stands in the body as ``\\uXXXX``: WeChat shows citizens just that."""
    return _ESCAPED.search(body) is not None


def custom(body: bytes, media: Set[str]) -> Custom:
    """The message in ``body``; ``media`` are the ids that exist. Raises :class:`Refusal`."""
    call = parsed(body)
    to, kind = _string(call, "touser", 41009), call.get("msgtype")
    if kind not in _KINDS:
        raise Refusal(40008)
    found = _KINDS[str(kind)](_object(call, str(kind)), media)
    text, choices, url = found
    if escaped(body):
        text = json.dumps(text)[1:-1].replace("\\n", "\n")
    return Custom(to, str(kind), text, choices, url, escaped(body))


_Shown = tuple[str, tuple[Choice, ...], str]


def _text(part: Mapping[str, Any], _media: Set[str]) -> _Shown:
    text = _string(part, "content")
    if not text.strip():
        raise Refusal(44004)
    return _bounded(text, TEXT_BYTES, 45002), (), ""


def _menu(part: Mapping[str, Any], _media: Set[str]) -> _Shown:
    head, tail = _string(part, "head_content"), _string(part, "tail_content")
    lines = part.get("list")
    if not isinstance(lines, list) or not lines:
        raise Refusal(47001, "msgmenu.list")
    if len(lines) > MENU_LINES:
        raise Refusal(45098)
    choices = tuple(_choice(line) for line in lines)
    if len({choice.id for choice in choices}) < len(choices):
        raise Refusal(47001, "msgmenu.list.id")
    shown = "\n".join([head, *(choice.content for choice in choices), tail])
    return _bounded(shown, TEXT_BYTES, 45002), choices, ""


def _choice(line: object) -> Choice:
    if not isinstance(line, dict) or set(line) != {"id", "content"}:
        raise Refusal(47001, "msgmenu.list")
    known, content = _string(line, "id"), _string(line, "content")
    if not known or not content.strip():
        raise Refusal(44004)
    return Choice(known, content)


def _news(part: Mapping[str, Any], _media: Set[str]) -> _Shown:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refusal(44003)
    if len(articles) > 1:
        raise Refusal(45008)
    article = articles[0]
    if not isinstance(article, dict):
        raise Refusal(47001, "news.articles")
    title = _bounded(_string(article, "title"), _TITLE_BYTES, 45003)
    text = _bounded(_string(article, "description"), _DESCRIPTION_BYTES, 45004)
    url = _bounded(_string(article, "url"), _URL_BYTES, 45005)
    return f"{title}\n{text}", (), url


def _medium(part: Mapping[str, Any], media: Set[str]) -> _Shown:
    known = _string(part, "media_id", 41006)
    if known not in media:
        raise Refusal(40007)
    return known, (), ""


_KINDS = {"text": _text, "msgmenu": _menu, "news": _news, "image": _medium, "voice": _medium,
          "video": _medium}  # fmt: skip


def _object(call: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = call.get(name)
    if not isinstance(part, dict):
        raise Refusal(47001, name)
    return part


def _string(part: Mapping[str, Any], name: str, missing: int = 47001) -> str:
    value = part.get(name)
    if value is None:
        raise Refusal(missing, name)
    if not isinstance(value, str):
        raise Refusal(47001, name)
    return value


def _bounded(text: str, most: int, errcode: int) -> str:
    if len(text.encode()) > most:
        raise Refusal(errcode)
    return text
