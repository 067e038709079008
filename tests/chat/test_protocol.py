"""The chat's frames: every input is a frame or a ChatError; what is shown holds no internals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import protocol
from chat.errors import ChatError
from chat.frames import Choice, Hello, Leave, Ping, Rate, Text
from chat.protocol import parse
from turns.replies import Ask, Bye, Connect, Handoff, Option, Reply, Say, Told

ID = "0123456789abcdef"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
likely = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "text", "choice", "rate", "ping", "leave", "told", 7])},
    optional={
        name: json_values | st.just(ID)
        for name in ("session", "cursor", "id", "text", "value", "label", "turn")
    },
)


def frame(**fields: Any) -> str:
    return json.dumps(fields)


@given(st.text() | st.binary() | likely.map(json.dumps) | json_values.map(json.dumps))
def test_parsing_is_total(data: str | bytes) -> None:
    try:
        parsed = parse(data)
    except ChatError:
        return
    assert isinstance(parsed, Hello | Text | Choice | Rate | Ping | Leave)
    if isinstance(parsed, Text):
        assert 0 < len(parsed.text) <= protocol.MAX_TEXT_CHARS
        parsed.text.encode()  # can be stored


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(type="hello"), Hello("", 0)),
        (frame(type="hello", session="abc", cursor=12), Hello("abc", 12)),
        (frame(type="text", id=ID, text=" 你好\n"), Text(ID, "你好")),
        (frame(type="text", id=ID, text="第一行\n第二行"), Text(ID, "第一行\n第二行")),
        (frame(type="choice", id=ID, value="yes", label="是"), Choice(ID, "yes", "是")),
        (frame(type="ping"), Ping()),
        (frame(type="leave", more="ignored"), Leave()),
    ],
)
def test_good_frames(data: str, expected: object) -> None:
    assert parse(data) == expected


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{}", "frame_binary"),
        ("x" * 16385, "frame_too_big"),
        (frame(type="text", id=ID, text="字" * 6000), "frame_too_big"),
        ("字" * 6000, "frame_too_big"),
        ("", "frame_malformed"),
        ("{", "frame_malformed"),
        ("[" * 10_000, "frame_malformed"),
        ("[]", "frame_malformed"),
        ("null", "frame_malformed"),
        ("{}", "frame_unknown"),
        (frame(type="told"), "frame_unknown"),
        (frame(type=["hello"]), "frame_unknown"),
        (frame(type="hello", session=5), "frame_malformed"),
        (frame(type="hello", session="x" * 1001), "frame_malformed"),
        (frame(type="hello", cursor=-1), "frame_malformed"),
        (frame(type="hello", cursor=True), "frame_malformed"),
        (frame(type="hello", cursor=1.5), "frame_malformed"),
        (frame(type="hello", cursor=2**63), "frame_malformed"),
        (frame(type="text", text="你好"), "frame_malformed"),
        (frame(type="text", id="short", text="你好"), "frame_malformed"),
        (frame(type="text", id="../../etc/passwd", text="你好"), "frame_malformed"),
        (frame(type="text", id=ID, text=None), "frame_malformed"),
        (frame(type="text", id=ID), "text_empty"),
        (frame(type="text", id=ID, text=" \u202e \x00 "), "text_empty"),
        (frame(type="choice", id=ID, label="是"), "text_empty"),
        (frame(type="choice", id=ID, value="v" * 201), "frame_malformed"),
    ],
)
def test_bad_frames(data: str | bytes, code: str) -> None:
    with pytest.raises(ChatError) as caught:
        parse(data)
    assert caught.value.code == code


def test_text_of_a_thousand_characters_fits_and_one_more_does_not() -> None:
    assert parse(frame(type="text", id=ID, text="字" * 1000)) == Text(ID, "字" * 1000)
    with pytest.raises(ChatError) as caught:
        parse('{"type":"text","id":"' + ID + '","text":"' + "字" * 1001 + '"}')
    assert (caught.value.code, caught.value.id) == ("text_too_long", ID)


def test_lone_surrogates_and_hidden_characters_are_taken_out() -> None:
    raw = '{"type":"text","id":"' + ID + '","text":"a\\ud800b\\u202ec\\u0000d"}'
    assert parse(raw) == Text(ID, "abcd")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            Say("s", "好", speech="hao", answer="17"),
            {"type": "say", "id": "s", "text": "好", "published": True},
        ),
        (
            Ask("a", "哪个？", (Option("是", "yes"),), "choice", speech="na ge"),
            {"type": "ask", "id": "a", "text": "哪个？", "expects": "choice",
             "options": [{"label": "是", "value": "yes"}]},
        ),
        (
            Handoff("h", "asked", "danger", order="internal", number="2026"),
            {"type": "handoff", "id": "h", "number": "2026", "urgency": "danger"},
        ),
        (Connect("c", "sip:agents@10.0.0.1"), {"type": "connect", "id": "c"}),
        (Bye("b"), {"type": "bye", "id": "b"}),
    ],
)  # fmt: skip
def test_a_page_gets_what_belongs_on_it(reply: Reply, expected: dict[str, Any]) -> None:
    at = datetime(2026, 11, 20, 4, tzinfo=UTC)
    told = protocol.told(Told(7, "c1", "bot", reply, at, in_reply_to="h1", last=True))
    assert told["reply"] == expected
    assert (told["cursor"], told["last"], told["in_reply_to"]) == (7, True, "h1")
    json.dumps(told)


def test_a_thumb_names_the_turn_it_is_about() -> None:
    assert parse(frame(type="rate", id=ID, turn="t" * 8, value="up")) == Rate(ID, "t" * 8, "up")
    for wrong in ({"value": "great"}, {"value": None}, {"turn": "x"}, {"turn": 7}, {"id": ""}):
        with pytest.raises(ChatError) as refused:
            parse(frame(**{"type": "rate", "id": ID, "turn": "t" * 8, "value": "up"} | wrong))
        assert refused.value.code == "frame_malformed"
