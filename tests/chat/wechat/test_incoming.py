"""What each kind of message and event is, and what of it is heard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wechat.emoji import words
from chat.wechat.envelope import Fields
from chat.wechat.incoming import RECOGNISED, STICKER, Incoming, heard_of, incoming_of
from chat.wechat.incoming_errors import IncomingError
from turns.heard import Attachment

BASE: Fields = {"ToUserName": "gh_7f083739789a", "FromUserName": "oia2TjjewbmiOUlr6X-1crbLOvLw",
                "CreateTime": "1407743423"}  # fmt: skip
AT = datetime(2014, 8, 11, 7, 50, 23, tzinfo=UTC)


def read(**fields: Any) -> Incoming:
    kind = {} if fields.get("MsgType") == "event" else {"MsgId": "5836982871638042400"}
    return incoming_of({**BASE, **kind, **fields})


def heard(**fields: Any) -> tuple[str, str] | None:
    found = heard_of(read(**fields), "12345", "wechat-1")
    return (found.kind, found.text) if found else None


def test_a_text_is_read_whole() -> None:
    found = read(MsgType="text", Content="油烟太大了", bizmsgmenuid="12")
    assert (found.account, found.openid) == ("gh_7f083739789a", "oia2TjjewbmiOUlr6X-1crbLOvLw")
    assert (found.id, found.at, found.menu_id) == ("wx:5836982871638042400", AT, "12")
    turn = heard_of(found, "12345", "wechat-1")
    assert turn is not None
    assert (turn.id, turn.conversation, turn.channel) == (found.id, "wechat-1", "wechat")
    assert (turn.line, turn.kind, turn.text, turn.at) == ("12345", "text", "油烟太大了", AT)


def test_what_it_allows_us_to_send() -> None:
    event = {"MsgType": "event"}
    assert read(MsgType="text", Content="a").deed == "message"
    assert read(MsgType="voice", MediaId="m").deed == "message"
    assert read(MsgType="text", Content="a", bizmsgmenuid="1").deed == "click"
    assert read(**event, Event="CLICK", EventKey="k").deed == "click"
    assert read(**event, Event="subscribe").deed == "subscribe"
    assert read(**event, Event="SCAN", EventKey="1").deed == "scan"
    for name in ("unsubscribe", "LOCATION", "TEMPLATESENDJOBFINISH", "new_one"):
        assert read(**event, Event=name).deed is None


def test_a_voice_note_is_what_the_platform_recognised() -> None:
    known = read(MsgType="voice", MediaId="m", Format="amr", Recognition="公积金怎么取。")
    turn = heard_of(known, "", "c")
    assert turn is not None
    assert (turn.kind, turn.text, turn.confidence) == ("speech", "公积金怎么取。", RECOGNISED)
    assert (known.media, known.unheard) == ("voice", False)
    for nothing in ({}, {"Recognition": ""}, {"Recognition": "  "}):
        note = read(MsgType="voice", MediaId="m", Format="Speex", MediaId16K="m16", **nothing)
        assert (note.unheard, note.format, heard_of(note, "", "c")) == (True, "speex", None)


@pytest.mark.parametrize("kind", ["image", "video", "shortvideo"])
def test_pictures_are_kept_and_no_miss(kind: str) -> None:
    found = read(MsgType=kind, MediaId="m", PicUrl="https://mmbiz.test/1")
    turn = heard_of(found, "", "c")
    assert turn is not None
    kept = "photo" if kind == "image" else "video"
    shown = "image" if kind == "image" else "video"
    assert (turn.kind, turn.text, turn.attachments[0].kind) == ("event", "", shown)
    assert found.media == kept


def test_a_place_is_its_address_and_a_pin() -> None:
    place = {"MsgType": "location", "Location_X": "23.134521", "Location_Y": "113.358803"}
    turn = heard_of(read(**place, Scale="20", Label="建业小区9号楼"), "", "c")
    assert turn is not None
    assert turn.attachments == (Attachment("place", "geo:23.134521,113.358803", "建业小区9号楼"),)
    assert (turn.kind, turn.text) == ("text", "建业小区9号楼")
    assert heard(**place, Label="") == ("text", "位置：北纬23.13452度，东经113.35880度")
    for wrong in ("", "x", "nan", "inf", "91", "1e400"):
        assert heard(MsgType="location", Location_X=wrong, Location_Y="1", Label="楼下") == (
            "text", "楼下",
        )  # fmt: skip


def test_a_link_is_its_words() -> None:
    link = {"Title": "油烟", "Description": "投诉贴", "Url": "https://example.test/1"}
    assert heard(MsgType="link", **link) == ("text", "油烟 投诉贴 https://example.test/1")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[微笑]", ""), ("/::)", ""), ("/::)/::~[呲牙]", ""), ("😀", ""), ("。。。", ""),
        ("你好/::)", "你好"), ("谢谢[玫瑰][玫瑰]", "谢谢"), ("[强]", "好的"), ("👍🏻", "好的"),
        ("/:ok", "好的"), ("[NO]", "不要"), ("[救命]", "[救命]"), ("a/b", "a/b"), ("1", "1"),
        ("油烟😷大", "油烟😷大"), ("https://a.test/:x", "https://a.test/:x"),
    ],
)  # fmt: skip
def test_emoji_say_nothing_beside_words(text: str, left: str) -> None:
    assert words(text) == left
    wanted = ("text", left) if left else ("event", STICKER)
    assert heard(MsgType="text", Content=text) == wanted


@pytest.mark.parametrize(
    "text", ["【收到不支持的消息类型，暂无法显示】", "[收到不支持的消息类型，请在手机上查看]", ""]
)
def test_a_sticker_is_heard_as_one(text: str) -> None:
    assert heard(MsgType="text", Content=text) == ("event", STICKER)


def test_events_are_no_words() -> None:
    for name in ("subscribe", "unsubscribe", "SCAN", "LOCATION", "CLICK", "VIEW"):
        assert heard(MsgType="event", Event=name, EventKey="k") is None
    assert heard(MsgType="newest_kind") is None


def test_events_tell_their_key_place_and_result() -> None:
    followed = read(MsgType="event", Event="subscribe", EventKey="qrscene_hall-3", Ticket="t")
    assert (followed.event, followed.key) == ("subscribe", "hall-3")
    assert read(MsgType="event", Event="SCAN", EventKey="hall-3").key == "hall-3"
    where = read(MsgType="event", Event="LOCATION", Latitude="23.1", Longitude="113.3")
    assert (where.lat, where.lon) == (23.1, 113.3)
    chosen = read(
        MsgType="event", Event="location_select", EventKey="k",
        SendLocationInfo={
            "Location_X": "23", "Location_Y": "113", "Label": "天河", "Poiname": "站",
        },
    )  # fmt: skip
    assert (chosen.lat, chosen.lon, chosen.label) == (23.0, 113.0, "天河站")
    code = read(MsgType="event", Event="scancode_waitmsg", EventKey="k",
                ScanCodeInfo={"ScanType": "qrcode", "ScanResult": "1"})  # fmt: skip
    assert code.text == "1"
    sent = read(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID="200163836", Status="success")
    assert (sent.event, sent.text) == ("templatesendjobfinish", "success")


def test_an_event_is_known_again_and_tells_nobody_who_it_was() -> None:
    first = read(MsgType="event", Event="CLICK", EventKey="rent")
    assert first.id == read(MsgType="event", Event="CLICK", EventKey="rent").id
    others = [
        read(MsgType="event", Event="CLICK", EventKey="loan"),
        read(MsgType="event", Event="VIEW", EventKey="rent"),
        incoming_of({**BASE, "MsgType": "event", "Event": "CLICK", "EventKey": "rent",
                     "CreateTime": "1407743424"}),
        incoming_of({**BASE, "MsgType": "event", "Event": "CLICK", "EventKey": "rent",
                     "FromUserName": "o2"}),
    ]  # fmt: skip
    assert len({first.id, *(other.id for other in others)}) == 5
    assert first.openid not in first.id
    assert first.openid not in read(MsgType="newest_kind").id


@pytest.mark.parametrize(
    "wrong",
    [
        {"FromUserName": ""}, {"FromUserName": "o 1"}, {"FromUserName": "o" * 200},
        {"ToUserName": "<gh>"}, {"CreateTime": "x"}, {"CreateTime": ""}, {"MsgId": ""},
        {"CreateTime": "99999999999"}, {"MsgId": "12a"}, {"MsgId": "1" * 21},
        {"FromUserName": {"a": "b"}}, {"CreateTime": "-1"},
    ],
)  # fmt: skip
def test_what_names_nobody_is_refused(wrong: Fields) -> None:
    with pytest.raises(IncomingError, match="field_invalid"):
        incoming_of({**BASE, "MsgType": "text", "Content": "a", "MsgId": "1", **wrong})


NODES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=20),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
KINDS = st.sampled_from(["text", "voice", "image", "location", "link", "event", "x", "EVENT"])
NAMES = ("Content", "MediaId", "Recognition", "Location_X", "Label", "Event", "EventKey", "MsgId",
         "SendLocationInfo", "ScanCodeInfo", "CreateTime", "PicUrl", "bizmsgmenuid")  # fmt: skip


@given(KINDS, st.dictionaries(st.sampled_from(NAMES), NODES, max_size=6))
def test_whatever_comes_is_read_or_refused(kind: str, fields: dict[str, Any]) -> None:
    try:
        found = incoming_of({**BASE, "MsgType": kind, "MsgId": "1", **fields})
    except IncomingError:
        return
    turn = heard_of(found, "", "c")
    assert turn is None or turn.id == found.id
