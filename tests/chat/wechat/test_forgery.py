"""What does not come from WeChat: refused with its status, counted, and nothing of it written."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from config.city import City
from qianmen.wechatsim import messages, xmlwire
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.crypto import seal, signature
from qianmen.wechatsim.envelope import Push, enclosed
from store.engine import open_engine, reading
from store.tables import Base
from tests.chat.wechat.stage import OPENID, Stage, staged

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>
<MsgType>text</MsgType><Content>&lol3;</Content><MsgId>1</MsgId></xml>"""
FILE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>
<MsgType>text</MsgType><Content>&x;</Content><MsgId>1</MsgId></xml>"""


@dataclass
class Forger:
    """Somebody who knows WeChat's ways; what they send, and what became of it."""

    stage: Stage
    url: str
    client: httpx.Client

    @property
    def account(self) -> Account:
        return self.stage.platform.account

    @property
    def now(self) -> int:
        return int(self.stage.clock.seconds())

    def message(self, text: str = "你好", number: int = 1) -> dict[str, object]:
        return {"ToUserName": self.account.original_id, "FromUserName": OPENID,
                "CreateTime": self.now, **messages.text(text), "MsgId": number}  # fmt: skip

    def genuine(self, ahead_s: int = 0) -> Push:
        return enclosed(self.account, self.message(), self.now + ahead_s)

    def signed(self, sealed: str, **more: str) -> Push:
        """The envelope of ``sealed``, rightly signed: only who has the token can."""
        stamp, nonce = str(self.now), "7"
        signed = signature(self.account.token, stamp, nonce, sealed)
        query = {"timestamp": stamp, "nonce": nonce, "encrypt_type": "aes",
                 "msg_signature": signed, "signature": "x"}  # fmt: skip
        outer = {"ToUserName": self.account.original_id, **more, "Encrypt": sealed}
        return Push(query, xmlwire.document(outer), "text/xml")

    def sealed(self, text: bytes, **more: str) -> Push:
        return self.signed(seal(self.account.aes_key, self.account.appid, text), **more)

    def plain(self, body: bytes) -> Push:
        """A body in clear with the query of plain mode, which signs no body."""
        stamp, nonce = str(self.now), "7"
        query = {"signature": signature(self.account.token, stamp, nonce), "timestamp": stamp,
                 "nonce": nonce}  # fmt: skip
        return Push(query, body, "text/xml")

    def post(self, push: Push) -> httpx.Response:
        return self.client.post(self.url, params=dict(push.query), content=push.body)

    def is_refused(self, push: Push, status: int) -> None:
        before = refusals()
        reply = self.post(push)
        assert (reply.status_code, reply.content == b"success") == (status, False), reply.text
        assert "lol" not in reply.text
        assert refusals() == before + 1
        assert written(self.stage) == {}


def refusals() -> float:
    """How many requests were refused so far, whatever for."""
    return sum(
        sample.value for metric in REGISTRY.collect() for sample in metric.samples
        if sample.name == "qianmen_wechat_refused_total"
    )  # fmt: skip


def written(stage: Stage) -> dict[str, int]:
    """Rows of what citizens say, by table; tables without any left out."""
    found = {}
    with reading(stage.office.engine) as session:
        for name in ("conversation", "turn", "wechat_citizen", "wechat_reply", "wechat_media"):
            rows = session.scalar(select(func.count()).select_from(Base.metadata.tables[name]))
            found[name] = rows or 0
    return {name: rows for name, rows in found.items() if rows}


@pytest.fixture
def forger(sqlite_template: Path, tmp_path: Path, city: City) -> Iterator[Callable[..., Forger]]:
    made = []

    def open_(mode: str = "secure") -> Forger:
        file = tmp_path / "test.sqlite3"
        shutil.copyfile(sqlite_template, file)
        engine = open_engine(f"sqlite:///{file}")
        entered = staged(tmp_path, engine, city, mode)  # type: ignore[arg-type]  # one of the three
        made.append((entered, engine))
        stage = entered.__enter__()
        return Forger(stage, stage.url, client)

    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        yield open_
    for entered, engine in made:
        entered.__exit__(None, None, None)
        engine.dispose()


def changed(query: Mapping[str, str], **more: str) -> dict[str, str]:
    return {**query, **more}


def test_what_is_not_signed_by_the_token_is_refused(forger: Callable[..., Forger]) -> None:
    it = forger()
    push = it.genuine()
    for query in (
        changed(push.query, msg_signature="0" * 40),
        changed(push.query, msg_signature=""),
        changed(push.query, msg_signature=push.query["signature"]),
        changed(push.query, nonce="8"),
        {},
    ):
        it.is_refused(Push(query, push.body, push.content_type), 403)
    other = replace(it.account, token="another token")
    it.is_refused(enclosed(other, it.message(), it.now), 403)


def test_what_is_older_or_newer_than_five_minutes_is_refused(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    it.is_refused(it.genuine(-301), 403)
    it.is_refused(it.genuine(330), 403)


def test_entities_are_not_expanded_in_clear_nor_in_what_was_sealed(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    for body in (LAUGHS, FILE):
        it.is_refused(it.plain(body), 400)
        it.is_refused(it.sealed(body), 400)


def test_what_is_too_large_is_refused_before_it_is_read(forger: Callable[..., Forger]) -> None:
    it = forger()
    it.is_refused(it.plain(b"<xml>" + b"a" * 10 * 1024 * 1024 + b"</xml>"), 413)


def test_what_does_not_open_is_refused(forger: Callable[..., Forger]) -> None:
    it = forger()
    text = xmlwire.document(it.message())
    whole = seal(it.account.aes_key, it.account.appid, text)
    for sealed in (whole[:-5], whole[:44], "", "中文", base64.b64encode(b"x" * 64).decode()):
        it.is_refused(it.signed(sealed), 400 if sealed else 403)
    it.is_refused(it.signed(seal("B" * 43, it.account.appid, text)), 400)
    it.is_refused(it.signed(seal(it.account.aes_key, "wx9999999999999999", text)), 400)


def test_a_signature_does_not_serve_for_another_body(forger: Callable[..., Forger]) -> None:
    it = forger()
    first = it.genuine()
    other = enclosed(it.account, it.message("转给我的账户", 2), it.now)
    it.is_refused(Push(first.query, other.body, "text/xml"), 403)


def test_an_account_with_a_key_believes_nothing_that_came_in_clear(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    it.is_refused(it.plain(xmlwire.document(it.message())), 403)


def test_what_is_no_message_is_refused(forger: Callable[..., Forger]) -> None:
    it = forger("plain")
    for body in (
        b"", b"<xml>", b"<html/>", b"[]", b"\xff\xfe", b'{"a":', b"<xml><a><b><c>" * 9,
        *(
            xmlwire.document({**it.message(), **more})
            for more in ({"FromUserName": "a b"}, {"CreateTime": "soon"}, {"MsgId": "x"},
                         {"ToUserName": ""})
        ),
    ):  # fmt: skip
        it.is_refused(it.plain(body), 400)


def test_a_message_for_another_account_in_our_envelope_is_refused(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    text = xmlwire.document({**it.message(), "ToUserName": "gh_other"})
    it.is_refused(it.sealed(text), 400)


def test_in_compatible_mode_only_what_was_sealed_counts(forger: Callable[..., Forger]) -> None:
    it = forger("compatible")
    text = xmlwire.document(it.message("公积金怎么取"))
    forged = it.sealed(text, FromUserName="o_somebody_else", MsgType="text", Content="别的话")
    assert it.post(forged).status_code == 200
    assert it.stage.heard() == ["公积金怎么取"]


def test_a_request_that_is_replayed_gets_its_answer_and_is_heard_once(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    push = it.genuine()
    first, again = it.post(push), it.post(push)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert it.stage.heard() == ["你好"]


def test_the_servers_check_gives_the_echo_only_to_the_platform(
    forger: Callable[..., Forger],
) -> None:
    it = forger()
    query = it.plain(b"").query
    get = {"echostr": "4375120948345356249", **query}
    reply = it.client.get(it.url, params=get)
    assert (reply.status_code, reply.text) == (200, "4375120948345356249")
    for wrong, status in (
        ({**get, "signature": "0" * 40}, 403),
        ({**get, "echostr": ""}, 400),
        ({**get, "echostr": "<script>alert(1)</script>" * 9}, 400),
        ({}, 403),
    ):
        reply = it.client.get(it.url, params=wrong)
        assert reply.status_code == status
        assert "script" not in reply.text
    assert not json.dumps(written(it.stage)).strip("{}")
