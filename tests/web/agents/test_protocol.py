"""The desk's frames: every input is a frame or a DeskError with a code that has words."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import MAX_TEXT_CHARS
from web.agents import protocol
from web.agents.errors import TEXTS, DeskError, text_of
from web.agents.protocol import (
    Accept,
    AlarmSeen,
    Call,
    Callback,
    ClientFrame,
    Field,
    Finish,
    Hello,
    Ping,
    Say,
    Status,
    Transfer,
    Typing,
    Watch,
    parse,
)

ID = "0123456789abcdef"
KINDS = [
    "hello", "ping", "watch", "typing", "status", "accept", "decline", "say", "call", "note",
    "send_answer", "transfer", "back", "finish", "ready", "field", "confirm", "link", "alarm_seen",
    "callback", "desk", "", 7,
]  # fmt: skip
NAMES = [
    "id", "token", "value", "offer", "handoff", "cursor", "text", "on", "verb", "target", "answer",
    "agent", "skill", "note", "word", "result", "name", "edition", "party", "alarm", "callback",
]  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
plausible = st.sampled_from([ID, "online", "hold", "take", 3, "3", True, "handoff:web-1", "你好"])
likely = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)}, optional=dict.fromkeys(NAMES, plausible | json_values)
)


def frame(**values: Any) -> str:
    return json.dumps(values)


def outcome(data: str | bytes) -> ClientFrame | DeskError:
    try:
        return parse(data)
    except DeskError as error:
        return error


@given(st.text() | st.binary() | likely.map(json.dumps) | json_values.map(json.dumps))
def test_parsing_is_total(data: str | bytes) -> None:
    parsed = outcome(data)
    if isinstance(parsed, DeskError):
        assert TEXTS[parsed.code] == parsed.text
        return
    assert isinstance(parsed, get_args(ClientFrame))
    assert is_dataclass(parsed)
    for field in fields(parsed):
        value = getattr(parsed, field.name)
        if isinstance(value, str):
            value.encode()  # can be stored
            assert len(value) <= protocol.MAX_NOTE_CHARS


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(type="hello", token="t"), Hello("t")),
        (frame(type="ping", more=1), Ping()),
        (frame(type="watch", handoff="handoff:web-1"), Watch("handoff:web-1", 0)),
        (frame(type="watch", handoff="", cursor=7), Watch("", 7)),
        (frame(type="typing", handoff="h", on=True), Typing("h", on=True)),
        (frame(type="status", id=ID, value="break"), Status(ID, "break", "")),
        (frame(type="status", id=ID, value="busy", reason="开会"), Status(ID, "busy", "开会")),
        (frame(type="accept", id=ID, offer="handoff:web-1@2"), Accept(ID, "handoff:web-1@2")),
        (frame(type="say", id=ID, handoff="h", text=" 您\u202e好\n "), Say(ID, "h", "您好")),
        (frame(type="call", id=ID, handoff="h", verb="hold"), Call(ID, "h", "hold", "")),
        (frame(type="field", id=ID, handoff="h", name="where", value="", edition="3"),
         Field(ID, "h", "where", "", 3)),
        (frame(type="finish", id=ID, handoff="h"), Finish(ID, "h", "", "")),
        (frame(type="transfer", id=ID, handoff="h", skill="社保"),
         Transfer(ID, "h", "", "社保", "")),
        (frame(type="alarm_seen", id=ID, alarm=12), AlarmSeen(ID, 12)),
        (frame(type="callback", id=ID, callback="4", verb="done", note="已说明"),
         Callback(ID, 4, "done", "已说明")),
    ],
)  # fmt: skip
def test_good_frames(data: str, expected: object) -> None:
    assert parse(data) == expected


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{}", "frame_binary"),
        ("x" * 16385, "frame_too_big"),
        ("字" * 6000, "frame_too_big"),
        ("{", "frame_malformed"),
        ("[" * 10_000, "frame_malformed"),
        ("null", "frame_malformed"),
        ("{}", "frame_unknown"),
        (frame(type="welcome"), "frame_unknown"),
        (frame(type=["say"]), "frame_unknown"),
        (frame(type="hello"), "frame_malformed"),
        (frame(type="typing", handoff="h", on=1), "frame_malformed"),
        (frame(type="accept", offer="o"), "frame_malformed"),
        (frame(type="accept", id="1", offer="o"), "frame_malformed"),
        (frame(type="accept", id=ID, offer=""), "frame_malformed"),
        (frame(type="accept", id=ID, offer="o\n"), "frame_malformed"),
        (frame(type="accept", id=ID, offer="\ud800"), "frame_malformed"),
        (frame(type="accept", id=ID, offer="o" * 201), "frame_malformed"),
        (frame(type="status", id=ID, value="wrapup"), "status_unknown"),
        (frame(type="status", id=ID, value=None), "status_unknown"),
        (frame(type="say", id=ID, handoff="h", text=" \u202e "), "text_empty"),
        (frame(type="say", id=ID, handoff="h", text="字" * (MAX_TEXT_CHARS + 1)), "text_too_long"),
        (frame(type="note", id=ID, handoff="h"), "text_empty"),
        (frame(type="call", id=ID, handoff="h", verb="reboot"), "verb_unknown"),
        (frame(type="field", id=ID, handoff="h", name="where", value=5, edition=1),
         "frame_malformed"),
        (frame(type="field", id=ID, handoff="h", name="where", value="x"), "frame_malformed"),
        (frame(type="field", id=ID, handoff="h", name="where", value="x", edition=True),
         "frame_malformed"),
        (frame(type="field", id=ID, handoff="h", name="where", value="x", edition="９"),
         "frame_malformed"),
        (frame(type="watch", handoff="h", cursor=2**31), "frame_malformed"),
        (frame(type="alarm_seen", id=ID, alarm=-1), "frame_malformed"),
        (frame(type="callback", id=ID, callback=1, verb="forget"), "frame_malformed"),
    ],
)  # fmt: skip
def test_bad_frames(data: str | bytes, code: str) -> None:
    with pytest.raises(DeskError) as caught:
        parse(data)
    assert caught.value.code == code


def test_a_refusal_names_the_action_it_belongs_to() -> None:
    with pytest.raises(DeskError) as caught:
        parse(frame(type="say", id=ID, handoff="h", text=""))
    assert caught.value.id == ID


def test_every_code_has_words() -> None:
    assert text_of("busy") == "对方占线"  # the telephones' own words
    assert text_of("no such code") == TEXTS["internal"]
