"""Requests opened: each mode, both keys and tokens of a change, and whatever is none of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chat.wechat.crypto import aes_key
from chat.wechat.incoming import Incoming
from chat.wechat.incoming_errors import IncomingError
from chat.wechat.opening import Account, account_of, opened
from chat.wechat.passive import Way
from config.settings import Settings
from qianmen.wechatsim import messages
from qianmen.wechatsim.account import Account as Platform
from qianmen.wechatsim.account import Format, Mode
from qianmen.wechatsim.envelope import Push, enclosed

NEW, OLD = "a" * 42 + "A", "b" * 42 + "Q"
NOW = 1_700_000_000
OURS = Account("wx0123456789abcdef", ("token", "before"), (aes_key(NEW), aes_key(OLD)))
THEIRS = Platform(OURS.appid, "secret", "token", NEW)
WAYS: list[tuple[Mode, Format]] = [
    ("compatible", "xml"), ("compatible", "json"), ("secure", "xml"), ("secure", "json"),
]  # fmt: skip


def push(account: Platform, text: str = "油烟太大了") -> Push:
    head = {"ToUserName": account.original_id, "FromUserName": "o1", "CreateTime": NOW}
    return enclosed(account, {**head, **messages.text(text), "MsgId": 1}, NOW)


def read(
    given: Push, account: Account = OURS, query: Mapping[str, str] | None = None
) -> tuple[Incoming, Way]:
    return opened(account, given.query if query is None else query, given.body, NOW)


def code_of(given: Push, account: Account = OURS) -> str:
    with pytest.raises(IncomingError) as caught:
        read(given, account)
    return caught.value.code


@pytest.mark.parametrize(("mode", "form"), WAYS)
def test_the_answer_goes_the_way_that_the_request_came(mode: Mode, form: Format) -> None:
    for token, key in (("token", NEW), ("before", OLD), ("token", OLD), ("before", NEW)):
        theirs = replace(THEIRS, mode=mode, format=form, token=token, aes_key=key)
        incoming, way = read(push(theirs))
        assert (incoming.text, incoming.raw_mode) == ("油烟太大了", mode)
        assert way == Way(form, OURS.appid, token, aes_key(key))


def test_in_plain_mode_there_is_no_key() -> None:
    bare = replace(OURS, keys=())
    for form in ("xml", "json"):
        incoming, way = read(push(replace(THEIRS, mode="plain", format=form)), bare)
        assert (incoming.raw_mode, way.key) == ("plain", None)
    incoming, way = read(push(replace(THEIRS, mode="compatible")), bare)
    assert (incoming.raw_mode, incoming.text, way.key) == ("compatible", "油烟太大了", None)
    assert code_of(push(replace(THEIRS, mode="secure")), bare) == "key_missing"


def test_with_a_key_nothing_is_believed_that_came_plainly() -> None:
    assert code_of(push(replace(THEIRS, mode="plain"))) == "encrypt_missing"


def test_of_a_compatible_message_only_what_was_sealed_counts() -> None:
    given = push(replace(THEIRS, mode="compatible"))
    body = given.body.replace("油烟太大了".encode(), "转账给我".encode())
    assert body != given.body
    assert read(replace(given, body=body))[0].text == "油烟太大了"


def test_the_signature_covers_what_was_sealed() -> None:
    one, other = push(THEIRS), push(THEIRS, "别的话")
    assert code_of(replace(other, query=one.query)) == "signature_wrong"
    assert code_of(replace(one, query={**one.query, "msg_signature": ""})) == "signature_wrong"
    assert code_of(push(replace(THEIRS, token="stranger"))) == "signature_wrong"
    assert code_of(push(replace(THEIRS, appid="wx9999999999999999"))) == "appid_other"
    assert code_of(push(replace(THEIRS, aes_key="c" * 43))) == "cipher_wrong"


def test_an_envelope_names_no_other_account() -> None:
    given = push(THEIRS)
    body = given.body.replace(THEIRS.original_id.encode(), b"gh_another_account")
    assert code_of(replace(given, body=body)) == "account_other"


def test_the_settings_make_the_account() -> None:
    def made(**more: str) -> Account | None:
        base: dict[str, Any] = {"wechat_appid": OURS.appid, "wechat_token": "token"}
        return account_of(Settings(**{**base, **more}))

    assert made(wechat_token_before="before", wechat_aes_key=NEW, wechat_aes_key_before=OLD) == OURS
    assert made(wechat_appid="") is made(wechat_token="") is None
    assert made() == replace(OURS, tokens=("token",), keys=())
    with pytest.raises(IncomingError, match="aes_key_invalid"):
        made(wechat_aes_key="short")
    shown = repr(OURS)
    assert "token" not in shown.replace("tokens", "")
