"""Everything that travels between processes comes back as it went."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from turns import wire
from turns.calls import CallCommand, CallEvent, CallInfo
from turns.context import Context
from turns.heard import Alternative, Attachment, AudioSpan, Heard
from turns.orders import OrderDraft, OrderField, Provenance, WrittenOrder
from turns.replies import Ask, Bye, Connect, Handoff, Option, Reply, Say, Told
from turns.understood import Candidate, Finding, Outcome, Understood
from turns.voice import (
    Partial,
    Played,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    VoiceEvent,
    Word,
)

AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
SOURCE = Provenance("h1", "楼下烧烤摊", AT, 0.9, "form.what", "citizen")
FIELD = OrderField("what", "楼下烧烤摊油烟", SOURCE)
REPLIES: list[Reply] = [
    Say("1", "您好", "您好。", "gjj.rent:条件", interruptible=False),
    Ask("2", "您是想问", (Option("条件", "gjj.rent:条件"),), "choice", "您是想问条件吗"),
    Handoff("3", "asked", "danger", "o1", "2026112000001"),
    Connect("4", "sip:agents@127.0.0.1:5070"),
    Bye("5"),
]
VOICE: list[VoiceEvent] = [
    SpeechStarted(20),
    Partial("我要", 400),
    SpeechStopped(900),
    TurnEnded("我要", 0.8, 20, 900, 1400, 3.5, (Word("我要", 20, 400, 0.8),)),
    Played("1", 1200, complete=False),
]
UNDERSTOOD = Understood(
    "policy", "answer", "gjj.rent", "条件", "gjj.rent:条件:city",
    (Candidate("gjj.rent", "条件", 0.93),), (FIELD,), "2026112000001",
)  # fmt: skip
OTHERS: list[Any] = [
    Heard(
        "h1", "c1", "phone", "12345", "speech", "你好", AT, 0.7,
        (Alternative("拟好", 0.2),), (Attachment("image", "/a.jpg"),), AudioSpan("r1", 0, 900),
    ),
    Told(7, "c1", "agent", Say("1", "您好"), AT, "h1", last=True),
    CallCommand("k1", "c1", "bridge", "sip:110@127.0.0.1", "agent1"),
    CallEvent("c1", "failed", "target", AT, "486", "k1", "110", done=True),
    CallInfo(
        "c1", "n1", "139****9000", "12345", "12345", "person", AT, AT, ("110",), ("caller",)
    ),
    Context("gjj.rent", "条件", "east", "parents"),
    OrderDraft("k", "c1", "phone", "12345", "投诉", "urgent", "油烟", "", "城管", (FIELD,)),
    WrittenOrder("o1", "2026112000001", AT, repeated=True),
    UNDERSTOOD,
    Finding("ask", "", (Candidate("gjj.rent", "条件", 0.4),), (Option("条件", "x"),), Context()),
    Outcome((Say("1", "您好"), Bye("2")), Context(), UNDERSTOOD),
]  # fmt: skip


@pytest.mark.parametrize("value", [*REPLIES, *VOICE, *OTHERS], ids=lambda v: type(v).__name__)
def test_round_trip(value: Any) -> None:
    assert wire.load(type(value), json.loads(json.dumps(wire.dump(value)))) == value


@pytest.mark.parametrize("reply", REPLIES, ids=lambda v: v.type)
def test_a_reply_is_found_by_its_type(reply: Reply) -> None:
    assert wire.load_reply(wire.dump(reply)) == reply


@pytest.mark.parametrize("event", VOICE, ids=lambda v: v.type)
def test_a_voice_event_is_found_by_its_type(event: VoiceEvent) -> None:
    assert wire.load_voice(wire.dump(event)) == event


@pytest.mark.parametrize(
    "data", [None, 3, "say", [], {}, {"type": "shout"}, {"type": "say"}, {"type": "say", "id": 1}]
)
def test_rubbish_is_one_named_error(data: Any) -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.load_reply(data)
    assert caught.value.code == "wire_invalid"


def test_an_error_names_places_never_values() -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.load(Context, {"matter": ["13800138000"]})
    assert "matter" in str(caught.value)
    assert "13800138000" not in str(caught.value)
