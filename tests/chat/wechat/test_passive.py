"""Answers at once: as the platform (of the simulator) reads them, the same for every retry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wechat.crypto import aes_key
from chat.wechat.messages import TEXT_BYTES, Menu, News, Text
from chat.wechat.passive import SUCCESS, Format, Way, answer, dumped, loaded
from qianmen.wechatsim.account import Account, Mode
from qianmen.wechatsim.passive import Passive, judged

KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
ACCOUNT = Account("wx5823bf96d3bd56c7", "s", "QDG6eK", KEY)
TO, AT = "oia2TjjewbmiOUlr6X-1crbLOvLw", 1_409_659_813
MESSAGE = {"FromUserName": TO, "ToUserName": ACCOUNT.original_id, "MsgType": "text"}
WAYS = [(mode, form) for mode in ("plain", "compatible", "secure") for form in ("xml", "json")]


def way(mode: Mode, form: Format) -> Way:
    key = None if mode == "plain" else aes_key(KEY)
    return Way(form, ACCOUNT.appid, ACCOUNT.token, key)


def shown(message: Text | News | None, mode: Mode = "secure", form: Format = "xml") -> Passive:
    body = answer(message, TO, ACCOUNT.original_id, AT, way(mode, form))
    account = replace(ACCOUNT, mode=mode, format=form)
    return judged(account, MESSAGE, 200, body, AT)


@pytest.mark.parametrize(("mode", "form"), WAYS)
def test_every_mode_and_format_is_read_by_the_platform(mode: Mode, form: Format) -> None:
    text = "第一行\n<b>&amp; ]]> 😷"
    assert shown(Text(text), mode, form).text == text
    card = shown(News("标题]]>", "https://a.test/?a=1&b=2", "", ""), mode, form)
    assert (card.articles[0].title, card.articles[0].url) == ("标题]]>", "https://a.test/?a=1&b=2")
    assert shown(None, mode, form) == Passive()
    assert answer(None, TO, "gh", AT, way(mode, form)) == SUCCESS


def test_a_retry_gets_the_same_bytes() -> None:
    one, two = (answer(Text("好"), TO, "gh_1", AT, way("secure", "xml")) for _ in range(2))
    assert one == two
    assert one != answer(Text("好"), TO, "gh_1", AT + 1, way("secure", "xml"))


def test_what_was_decided_is_kept_and_read_again() -> None:
    for message in (Text("好]]>\n"), News("a", "https://a.test", "b", "https://a.test/p")):
        assert loaded(dumped(message)) == message
    for nothing in ("", "{", "[]", '{"x": 1}', "null", "1"):
        assert loaded(nothing) is None
    assert dumped(None) == dumped(Menu("a", ())) == ""


def test_a_text_is_never_longer_than_the_platform_takes() -> None:
    told = shown(Text("公" * 2000)).text
    assert len(told.encode()) <= TEXT_BYTES
    assert told.endswith("公…")


@given(st.text(min_size=1, max_size=50))
def test_any_text_is_well_formed(text: str) -> None:
    forms: tuple[Format, ...] = ("xml", "json")
    for form in forms:
        body = answer(Text(f"x{text}"), TO, ACCOUNT.original_id, AT, way("plain", form))
        account = replace(ACCOUNT, mode="plain", format=form)
        assert judged(account, MESSAGE, 200, body, AT).text.startswith("x")
