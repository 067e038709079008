"""WeChat's own published examples, against the simulated platform and against our account."""

from __future__ import annotations

import pytest

from chat.wechat import crypto as ours
from chat.wechat.envelope import read, text_of
from chat.wechat.signature import is_signed
from qianmen.wechatsim import crypto, messages, xmlwire
from tests.chat.wechat import vectors
from tests.chat.wechat.vectors import Encrypted, Opened

opened = pytest.mark.parametrize("it", vectors.OPENED, ids=lambda it: it.name)


@pytest.mark.parametrize("it", vectors.ENCRYPTED, ids=lambda it: it.text[:12])
def test_the_platform_encrypts_as_published(it: Encrypted) -> None:
    sealed = crypto.seal(it.key, it.appid, it.text.encode(), it.random.encode())
    assert sealed == it.sealed


@opened
def test_the_platform_signs_and_opens_as_published(it: Opened) -> None:
    signed = crypto.signature(it.token, it.timestamp, it.nonce, it.sealed)
    assert signed == it.msg_signature
    text = crypto.unseal(it.key, it.appid, it.sealed).decode()
    assert text == it.text or not it.text


@pytest.mark.parametrize(("token", "timestamp", "nonce", "signature"), vectors.SIGNED)
def test_the_platform_signs_a_query_as_published(
    token: str, timestamp: str, nonce: str, signature: str
) -> None:
    assert crypto.signature(token, timestamp, nonce) == signature


@pytest.mark.parametrize(("timestamp", "nonce", "sealed", "signature"), vectors.REPLIES)
def test_the_platform_checks_a_reply_as_published(
    timestamp: str, nonce: str, sealed: str, signature: str
) -> None:
    assert crypto.signature("AAAAA", timestamp, nonce, sealed) == signature


_MADE = {
    "text": messages.text("this is a test"),
    "image": messages.image("media_id", "this is a url"),
    "voice": messages.voice("media_id", "Format"),
    "voice, recognised": messages.voice("media_id", "Format", "腾讯微信团队"),
    "video": messages.video("media_id", "thumb_media_id"),
    "shortvideo": messages.video("media_id", "thumb_media_id", short=True),
    "location": messages.location(23.134521, 113.358803, "位置信息"),
    "link": messages.link("公众平台官网链接", "公众平台官网链接", "url"),
    "menu message tapped": messages.menu_click("满意", "101"),
    "subscribe by code": messages.subscribe("123123"),
    "scan": messages.scan("SCENE_VALUE"),
    "position": messages.where(23.137466, 113.352425, 119.38504),
    "menu": messages.click("EVENTKEY"),
    "menu with page": messages.view("www.qq.com"),
    "template arrived": messages.template_sent(200163836),
}


@pytest.mark.parametrize("name", _MADE)
def test_the_platform_writes_messages_as_published(name: str) -> None:
    """Every field that the example has, and no other; whether it stood in CDATA too."""
    published = xmlwire.read(vectors.MESSAGES[name].encode())
    head = {"ToUserName": "", "FromUserName": "", "CreateTime": 0}
    made = xmlwire.read(xmlwire.document({**head, **_MADE[name], "MsgId": 1}))
    values = {one.name: (one.text, one.cdata) for one in made.children}
    for field in published.children:
        if field.name not in {*head, "MsgId"}:
            text = str(float(field.text)) if field.name == "Precision" else field.text
            cdata = field.cdata or field.name == "bizmsgmenuid"
            assert values.pop(field.name) == (text, cdata), field.name
    assert set(values) == {*head, "MsgId"}


# --------------------------------------------------------------- our side of the same


@pytest.mark.parametrize("it", vectors.ENCRYPTED, ids=lambda it: it.text[:12])
def test_we_encrypt_as_published(it: Encrypted) -> None:
    key = ours.aes_key(it.key)
    assert ours.seal(key, it.appid, it.text.encode(), it.random.encode()) == it.sealed


@opened
def test_we_verify_and_open_as_published(it: Opened) -> None:
    assert is_signed(it.msg_signature, it.token, it.timestamp, it.nonce, it.sealed)
    found = ours.unseal([ours.aes_key("B" * 43), ours.aes_key(it.key)], it.appid, it.sealed)
    assert found.key == ours.aes_key(it.key)
    assert found.text.decode() == it.text or not it.text


@pytest.mark.parametrize(("token", "timestamp", "nonce", "signature"), vectors.SIGNED)
def test_we_verify_a_query_as_published(
    token: str, timestamp: str, nonce: str, signature: str
) -> None:
    assert is_signed(signature, token, timestamp, nonce)
    assert not is_signed(signature, token, timestamp, nonce + "1")


def test_we_read_the_compatible_bodys_two_halves_alike() -> None:
    """``Sample.py``: what is shown is what was encrypted."""
    fields = read(vectors.COMPATIBLE_BODY.encode())
    found = ours.unseal(
        [ours.aes_key(vectors.SAMPLE_KEY)], "wx2c2769f8efd9abc2", text_of(fields, "Encrypt")
    )
    inner = read(found.text)
    assert inner == {name: value for name, value in fields.items() if name != "Encrypt"}


@pytest.mark.parametrize("name", vectors.MESSAGES)
def test_we_read_messages_as_published(name: str) -> None:
    """Every field with its value, as a reader written apart from ours finds them."""
    body = vectors.MESSAGES[name].encode()
    assert read(body) == {one.name: one.text for one in xmlwire.read(body).children}
