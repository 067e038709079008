"""What a browser may say beside words: places, and fields of the card."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from bot.card import LABELS, mended
from chat.errors import ChatError
from chat.frames import LinkCode, Mend, Place
from chat.history import sent
from chat.protocol import parse, shown
from chat.saying import turn_of
from turns.replies import Ask, Card, CardField
from turns.wire import dump


def read(**fields: Any) -> Any:
    return parse(json.dumps(fields))


def test_a_place_is_its_name_and_where_it_lies(now: datetime) -> None:
    frame = read(type="place", id="message1", lat=39.9087, lon=116.3974, label=" 建业小区 ")
    assert frame == Place("message1", 39.9087, 116.3974, "建业小区")
    turn = turn_of(frame, "c1", "12345", now)
    assert (turn.kind, turn.text, turn.channel) == ("text", "建业小区", "web")
    (item,) = turn.attachments
    assert sent(dump(item)) == {
        "id": "", "kind": "place", "text": "建业小区", "lat": 39.9087, "lon": 116.3974,
    }  # fmt: skip


def test_a_place_without_a_name_is_told_by_its_coordinates(now: datetime) -> None:
    frame = read(type="place", id="message1", lat=-1, lon=-2.5)
    assert turn_of(frame, "c1", "", now).text == "位置：南纬1.00000度，西经2.50000度"


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"lat": 39.9}, {"lat": 91, "lon": 0, "label": "x"}, {"lat": True, "lon": 1},
        {"lat": "1", "lon": 2}, {"label": "街" * 101}, {"lat": float("nan"), "lon": 1},
        {"label": 7}, {"lat": 1, "lon": 200},
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ChatError) as caught:
        read(type="place", id="message1", **fields)
    assert (caught.value.code, caught.value.id) == ("frame_malformed", "message1")


@pytest.mark.parametrize("name", LABELS)
def test_a_mended_field_is_a_sentence_that_the_form_reads(name: str, now: datetime) -> None:
    frame = read(type="mend", id="message1", field=name, value="建业小区12号楼。")
    assert frame == Mend("message1", name, "建业小区12号楼。")
    assert mended(turn_of(frame, "c1", "", now).text) == (name, "建业小区12号楼")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"field": "kind", "value": "投诉"}, "field_unknown"),
        ({"field": ["where"], "value": "x"}, "field_unknown"),
        ({"field": "where", "value": "  "}, "text_empty"),
        ({"field": "where", "value": "x" * 501}, "frame_malformed"),
    ],
)
def test_what_mends_nothing_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(ChatError) as caught:
        read(type="mend", id="message1", **fields)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["地点不对", "我要投诉", "时间改成", "把地点改成那边"])
def test_other_words_mend_no_field(text: str) -> None:
    assert mended(text) is None


def test_a_card_goes_along_with_its_question() -> None:
    card = Card("投诉", (CardField("phone", "联系电话", "13812345678", mended=True),), files=2)
    assert shown(Ask("a", "对吗？", card=card))["card"] == {
        "kind": "投诉", "photos": 2,
        "fields": [{"name": "phone", "label": "联系电话", "value": "13812345678",
                    "mended": True, "edit": "tel"}],
    }  # fmt: skip
    assert "card" not in shown(Ask("a", "对吗？"))


def test_a_code_is_asked_for() -> None:
    assert read(type="link_code") == LinkCode()
