"""The simulated platform's rules: allowances, tokens, what may be sent, what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qianmen.wechatsim import messages, xmlwire
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.allowance import Allowance, Rules
from qianmen.wechatsim.codes import Refusal
from qianmen.wechatsim.crypto import seal, signature
from qianmen.wechatsim.menus import menu
from qianmen.wechatsim.passive import Violation, judged
from qianmen.wechatsim.rates import Rates
from qianmen.wechatsim.sending import custom
from qianmen.wechatsim.templates import notice
from qianmen.wechatsim.tokens import Tokens
from qianmen.wechatsim.view import Seen, doubled, unanswered

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT = Account("wx0123456789abcdef", "secret", "token", KEY)
AT = 1_700_000_000
SAID = {"ToUserName": "gh_1", "FromUserName": "o1", "MsgType": "text", "Content": "你好"}


def refused(deed: Callable[[], object]) -> int:
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value.errcode


# ------------------------------------------------------------------------- allowance


def test_five_messages_in_48_hours_and_no_sixth() -> None:
    allowance = Allowance().after(messages.text("你好"), 0.0, Rules())
    for _ in range(5):
        allowance = allowance.spent(47 * 3600.0)
    assert refused(lambda: allowance.spent(47 * 3600.0)) == 45047
    assert refused(lambda: allowance.spent(48 * 3600.0)) == 45015


@pytest.mark.parametrize(
    "deed",
    [messages.click("K"), messages.scan("7"), messages.subscribe(), messages.menu_click("是", "1")],
)
def test_a_tap_gives_three_for_a_minute_and_no_window(deed: messages.Fields) -> None:
    allowance = Allowance().after(deed, 0.0, Rules())
    for _ in range(3):
        allowance = allowance.spent(59.0)
    assert refused(lambda: allowance.spent(59.0)) == 45047
    assert refused(lambda: allowance.spent(60.0)) == 45015


def test_allowances_do_not_add_up() -> None:
    allowance = Allowance().after(messages.text("你好"), 0.0, Rules())
    allowance = allowance.after(messages.click("K"), 0.0, Rules())
    for _ in range(5):
        allowance = allowance.spent(1.0)
    assert refused(lambda: allowance.spent(1.0)) == 45047


@pytest.mark.parametrize(
    "deed", [messages.view("url"), messages.unsubscribe(), messages.where(1.0, 2.0, 3.0)]
)
def test_other_events_open_nothing(deed: messages.Fields) -> None:
    assert Allowance().after(deed, 0.0, Rules()) == Allowance()


# ---------------------------------------------------------------------------- tokens


def test_who_fetches_anew_ends_the_old_token_in_five_minutes() -> None:
    tokens = Tokens()
    first, _ = tokens.plain(0.0)
    second, _ = tokens.plain(10.0)
    tokens.check(first, 309.0)
    tokens.check(second, 309.0)
    assert refused(lambda: tokens.check(first, 310.0)) == 40001
    assert refused(lambda: tokens.check(second, 7210.0)) == 42001
    assert refused(lambda: tokens.check("", 0.0)) == 41001
    assert refused(lambda: tokens.check("nonsense", 0.0)) == 40001


def test_a_stable_token_stays_the_same_and_overlaps_with_the_next() -> None:
    tokens = Tokens()
    first, left = tokens.stable(0.0, force=False)
    assert left == 7200
    assert tokens.stable(6899.0, force=False) == (first, 301)
    tokens.plain(6899.0)
    second, left = tokens.stable(6900.0, force=False)
    assert second != first
    assert left == 7200
    tokens.check(first, 7199.0)
    third, _ = tokens.stable(7000.0, force=True)
    assert refused(lambda: tokens.check(second, 7000.0)) == 40001
    assert tokens.stable(7029.0, force=True)[0] == third  # 30 s apart
    assert tokens.stable(7031.0, force=True)[0] != third


def test_a_forced_refresh_is_allowed_twenty_times_a_day() -> None:
    tokens = Tokens()
    for n in range(20):
        tokens.stable(n * 31.0, force=True)
    assert refused(lambda: tokens.stable(999.0, force=True)) == 45009


# --------------------------------------------------------------------------- sending


def call(kind: str, part: Any, **more: Any) -> bytes:
    fields = {"touser": "o1", "msgtype": kind, kind: part, **more}
    return json.dumps(fields, ensure_ascii=False).encode()


MENU: dict[str, Any] = {
    "head_content": "满意吗？",
    "list": [{"id": "101", "content": "满意"}],
    "tail_content": "",
}
CARD = {"title": "标题", "description": "说明", "url": "https://a.example", "picurl": ""}


def test_what_is_well_formed_is_shown() -> None:
    assert custom(call("text", {"content": "你好"}), set()).text == "你好"
    shown = custom(call("msgmenu", MENU), set())
    assert [(choice.id, choice.content) for choice in shown.choices] == [("101", "满意")]
    assert custom(call("news", {"articles": [CARD]}), set()).url == "https://a.example"
    assert custom(call("image", {"media_id": "m1"}), {"m1"}).text == "m1"


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (b"", 44002),
        (b"{", 47001),
        (b"[]", 47001),
        ("{}".encode("utf-16"), 47001),
        (call("text", {"content": "x"}, touser=None), 41009),
        (call("sticker", {}), 40008),
        (call("text", "你好"), 47001),
        (call("text", {"content": 7}), 47001),
        (call("text", {"content": " "}), 44004),
        (call("text", {"content": "字" * 683}), 45002),
        (call("msgmenu", {**MENU, "list": []}), 47001),
        (call("msgmenu", {**MENU, "list": [{"id": 101, "content": "满意"}]}), 47001),
        (call("msgmenu", {**MENU, "list": [{"id": "1", "content": ""}]}), 44004),
        (call("msgmenu", {**MENU, "list": [{"id": str(n), "content": "x"} for n in range(11)]}),
         45098),
        (call("msgmenu", {**MENU, "list": MENU["list"] * 2}), 47001),
        (call("msgmenu", {"list": MENU["list"]}), 47001),
        (call("news", {"articles": []}), 44003),
        (call("news", {"articles": [CARD, CARD]}), 45008),
        (call("news", {"articles": [{**CARD, "title": "字" * 65}]}), 45003),
        (call("image", {"media_id": "gone"}), 40007),
        (call("image", {}), 41006),
    ],
)  # fmt: skip
def test_what_is_not_is_refused(body: bytes, errcode: int) -> None:
    assert refused(lambda: custom(body, set())) == errcode


def test_escaped_text_is_shown_as_it_stands() -> None:
    body = json.dumps({"touser": "o1", "msgtype": "text", "text": {"content": "你好\n"}}).encode()
    shown = custom(body, set())
    assert shown.escaped
    assert shown.text == "\\u4f60\\u597d\n"
    assert refused(lambda: menu(body)) == 40033


DATA = {"thing1": {"value": "油烟扰民"}, "time2": {"value": "2026-11-20 12:00"}}
NOTICE = {"touser": "o1", "template_id": "t1", "data": DATA}
KNOWN = {"t1": ("thing1", "time2")}


def test_a_notice_shows_its_fields_in_the_templates_order() -> None:
    shown = notice(json.dumps(NOTICE).encode(), KNOWN)
    assert shown.fields == (("thing1", "油烟扰民"), ("time2", "2026-11-20 12:00"))


@pytest.mark.parametrize(
    ("more", "errcode"),
    [
        ({"template_id": "t2"}, 40037),
        ({"touser": ""}, 41009),
        ({"data": "x"}, 47001),
        ({"data": {"thing1": {"value": "油烟扰民"}}}, 47003),
        ({"data": {**DATA, "thing1": {"value": "字" * 21}}}, 47003),
        ({"data": {**DATA, "time2": {"value": "昨天"}}}, 47003),
    ],
)
def test_a_notice_that_does_not_fit_its_template_is_refused(
    more: dict[str, Any], errcode: int
) -> None:
    assert refused(lambda: notice(json.dumps({**NOTICE, **more}).encode(), KNOWN)) == errcode


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([{"type": "click", "name": "办事指南", "key": "k"}] * 4, 40016),
        ([{"type": "click", "name": "很长的名字呀", "key": "k"}], 40018),
        ([{"type": "click", "name": "办事", "key": ""}], 40019),
        ([{"type": "view", "name": "办事"}], 40020),
        ([{"type": "jump", "name": "办事"}], 40015),
        ([{"name": "办事", "sub_button": [{}] * 6}], 40023),
    ],
)
def test_a_menu_that_breaks_its_bounds_is_refused(buttons: list[Any], errcode: int) -> None:
    assert refused(lambda: menu(json.dumps({"button": buttons}, ensure_ascii=False).encode())) == (
        errcode
    )


def test_calls_are_counted_by_the_day_and_by_the_minute() -> None:
    rates = Rates({"a": 3}, {"a": 2})
    rates.count("a", 0.0)
    rates.count("a", 1.0)
    assert refused(lambda: rates.count("a", 2.0)) == 45011
    assert refused(lambda: rates.count("a", 70.0)) == 45009
    rates.count("a", 86400.0)


# -------------------------------------------------------------------------- passive


def reply(**more: Any) -> dict[str, Any]:
    return {"ToUserName": "o1", "FromUserName": "gh_1", "CreateTime": AT, "MsgType": "text",
            "Content": "您好", **more}  # fmt: skip


def sealed(plain: bytes, **more: Any) -> bytes:
    text = seal(KEY, ACCOUNT.appid, plain)
    stamp, nonce = str(AT), "7"
    return xmlwire.document({
        "Encrypt": text, "MsgSignature": signature(ACCOUNT.token, stamp, nonce, text),
        "TimeStamp": AT, "Nonce": nonce, **more,
    })  # fmt: skip


def verdict(body: bytes, account: Account = ACCOUNT, status: int = 200) -> str:
    try:
        return judged(account, SAID, status, body, AT).text or "nothing"
    except Violation as error:
        return error.code


PLAIN = Account("wx0123456789abcdef", "secret", "token", mode="plain")
BOTH = Account("wx0123456789abcdef", "secret", "token", KEY, mode="compatible")


def test_each_mode_takes_its_own_answers() -> None:
    plain = xmlwire.document(reply())
    assert verdict(plain, PLAIN) == verdict(plain, BOTH) == "您好"
    assert verdict(sealed(plain)) == verdict(sealed(plain), BOTH) == "您好"
    assert verdict(plain) == "not_encrypted"
    assert verdict(b"success") == verdict(b"", PLAIN) == "nothing"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ToUserName": "gh_1"}, "to_somebody_else"),
        ({"FromUserName": "o1"}, "from_somebody_else"),
        ({"CreateTime": AT - 301}, "time_off"),
        ({"CreateTime": str(AT)}, "CreateTime_not_a_number"),
        ({"MsgType": "json"}, "kind_unknown"),
        ({"Content": ""}, "text_empty"),
        ({"Content": "字" * 683}, "text_too_long"),
        ({"MsgType": "news", "ArticleCount": 1, "Articles": []}, "article_count"),
        ({"MsgType": "image"}, "medium_missing"),
    ],
)
def test_a_passive_reply_that_breaks_a_rule_is_not_shown(fields: dict[str, Any], code: str) -> None:
    assert verdict(sealed(xmlwire.document(reply(**fields)))) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Success", "xml_malformed"),
        (b'{"a": 1}', "xml_malformed"),
        (b"<xml><a></xml>", "xml_malformed"),
        (b"<html></html>", "xml_root"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><xml>&b;</xml>', "xml_doctype"),
        (b"<xml><Encrypt>bare</Encrypt></xml>", "Encrypt_not_cdata"),
        (sealed(b"", MsgSignature="0" * 40), "signature"),
        (sealed(b"", TimeStamp="x"), "TimeStamp_not_a_number"),
    ],
)
def test_what_is_no_reply_at_all_is_not_shown(body: bytes, code: str) -> None:
    assert verdict(body) == code


def test_an_error_page_is_no_reply() -> None:
    assert verdict(b"success", status=500) == "status_500"


def test_a_reply_with_another_key_or_for_another_account_is_not_shown() -> None:
    other = Account("wx0123456789abcdef", "s", "token", "B" * 43)
    assert verdict(sealed(xmlwire.document(reply())), other).startswith("cipher_")
    foreign = Account("wx9999999999999999", "s", "token", KEY)
    assert verdict(sealed(xmlwire.document(reply())), foreign) == "cipher_appid"


def test_cards_are_shown_one_to_a_message_and_in_json_too() -> None:
    item = {"Title": "标题", "Description": "说明", "PicUrl": "", "Url": "https://a.example"}
    fields = reply(MsgType="news", ArticleCount=1, Articles=[item])
    answer = judged(PLAIN, SAID, 200, xmlwire.document(fields), AT)
    assert answer.articles[0].url == "https://a.example"
    account = Account("wx0123456789abcdef", "secret", "token", mode="plain", format="json")
    assert judged(account, SAID, 200, json.dumps(fields).encode(), AT) == answer
    assert verdict(b"<xml></xml>", account) == "json_malformed"


# ------------------------------------------------------------------------------ view


def test_the_view_notices_what_came_twice_and_what_was_left_unanswered() -> None:
    def bubble(who: Any, text: str) -> Seen:
        return Seen(0.0, who, "text", text)

    seen = [
        bubble("account", "您好"), bubble("citizen", "一"), bubble("account", "答"),
        bubble("account", "答"), bubble("citizen", "二"), bubble("platform", "故障"),
    ]  # fmt: skip
    assert doubled(seen) == ["答"]
    assert unanswered(seen) == ["二"]
