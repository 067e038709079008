"""Template messages and subscription notices: their fields by kind, as documented. Pure.

https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qianmen.wechatsim.codes import Refusal
from qianmen.wechatsim.sending import parsed

_DAY, _HOUR = r"\d{4}[年/-]\d{1,2}[月/-]\d{1,2}日?", r"\d{1,2}[:：]\d{2}([:：]\d{2})?"
_RULES = {
    "thing": re.compile(r".{1,20}", re.DOTALL),
    "short_thing": re.compile(r".{1,20}", re.DOTALL),
    "phrase": re.compile(r"[㐀-鿿]{1,5}"),
    "number": re.compile(r"[0-9]{1,32}(\.[0-9]+)?"),
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
    "const": re.compile(r".{1,20}"),
    "name": re.compile(r"[㐀-鿿·]{1,10}|[A-Za-z .]{1,20}"),
    "phone_number": re.compile(r"[0-9+*\-() ]{1,17}"),
    "time": re.compile(rf"({_DAY}\s?)?({_HOUR})?"),
    "date": re.compile(rf"{_DAY}(\s?{_HOUR})?"),
}
"""Bounds by the kind that a field's name begins with; a field of a kind not here may be 20 long."""
_KIND = re.compile(r"([a-z_]+?)_?\d*")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the citizen is shown: the template's fields in order."""

    to: str
    template: str
    fields: tuple[tuple[str, str], ...]
    url: str


def notice(body: bytes, known: Mapping[str, tuple[str, ...]]) -> Notice:
    """The notice in ``body``; ``known``: the account's templates and their fields' names.

    Raises :class:`Refusal`: 40037, 41009, 47001, 47003 (names the field).
    """
    call = parsed(body)
    to, template = call.get("touser"), call.get("template_id")
    if not isinstance(to, str) or not to:
        raise Refusal(41009)
    if not isinstance(template, str) or template not in known:
        raise Refusal(40037)
    data = call.get("data")
    if not isinstance(data, dict):
        raise Refusal(47001, "data")
    fields = tuple((name, _value(data, name)) for name in known[template])
    link = call.get("url") or call.get("page") or ""
    if not isinstance(link, str):
        raise Refusal(47001, "url")
    return Notice(to, template, fields, link)


def _value(data: Mapping[str, Any], name: str) -> str:
    field = data.get(name)
    value = field.get("value") if isinstance(field, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise Refusal(47003, f"data.{name}.value is empty")
    kind = _KIND.fullmatch(name)
    rule = _RULES.get(kind.group(1) if kind else "", _RULES["thing"])
    if not rule.fullmatch(value):
        raise Refusal(47003, f"data.{name}.value invalid")
    return value
