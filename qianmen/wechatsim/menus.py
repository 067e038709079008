"""The account's own menu, checked as the platform checks it. Pure.

https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qianmen.wechatsim.codes import Refusal
from qianmen.wechatsim.sending import escaped, parsed

_NAME_BYTES, _SUB_NAME_BYTES, _KEY_BYTES, _URL_BYTES = 16, 60, 128, 1024
_WITH_KEY = ("click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album",
             "pic_weixin", "location_select")  # fmt: skip


def menu(body: bytes) -> tuple[str, ...]:
    """The names of the buttons; raises :class:`Refusal`."""
    if escaped(body):
        raise Refusal(40033)
    buttons = parsed(body).get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise Refusal(40016)
    return tuple(_button(button) for button in buttons)


def _button(button: object, most: int = _NAME_BYTES) -> str:
    if not isinstance(button, dict):
        raise Refusal(40016)
    name = button.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= most:
        raise Refusal(40018)
    under = button.get("sub_button")
    if under:
        if not isinstance(under, list) or len(under) > 5:
            raise Refusal(40023)
        for one in under:
            _button(one, _SUB_NAME_BYTES)
    else:
        _deed(button)
    return name


def _deed(button: Mapping[str, Any]) -> None:
    kind = button.get("type")
    if kind in _WITH_KEY:
        key = button.get("key")
        if not isinstance(key, str) or not 1 <= len(key.encode()) <= _KEY_BYTES:
            raise Refusal(40019)
    elif kind == "view":
        url = button.get("url")
        if not isinstance(url, str) or not 1 <= len(url.encode()) <= _URL_BYTES:
            raise Refusal(40020)
    else:
        raise Refusal(40015)
