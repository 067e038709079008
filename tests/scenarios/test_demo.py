"""The demonstration: the call and the chat end with an order whose fields are quoted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from language.normal import bare
from qianmen.demo import CALL_SAYS, CALLER
from tests.scenarios.front_door import FrontDoor, qianmen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def report(front_door: FrontDoor) -> dict[str, Any]:
    """What ``qianmen demo --json`` prints, on the front door that runs."""
    command = qianmen("demo", "--json", environment=front_door.environment)
    out, err = command.communicate(timeout=300)
    assert command.returncode == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


def said_by(report: dict[str, Any], part: str, who: str) -> list[str]:
    return [turn["text"] for turn in report[part]["turns"] if turn["who"] == who]


@pytest.mark.parametrize("part", ["call", "chat"])
def test_the_question_and_its_follow_up_are_answered(report: dict[str, Any], part: str) -> None:
    told = said_by(report, part, "bot")
    conditions = next(n for n, text in enumerate(told) if "连续足额缴存" in text)
    papers = next(n for n, text in enumerate(told) if "身份证" in text)
    assert conditions < papers


@pytest.mark.parametrize("part", ["call", "chat"])
def test_the_order_carries_what_was_said_and_its_source(report: dict[str, Any], part: str) -> None:
    order = report[part]["order"]
    fields = order["fields"]
    assert order["kind"] == "投诉"
    assert order["department"] == "城市管理局"
    for name, words in (("what", "烧烤摊"), ("where", "建业小区"), ("when", "上个礼拜")):
        source = fields[name]["provenance"]
        assert words in fields[name]["value"], name
        assert bare(source["quote"]) in bare("".join(said_by(report, part, "citizen")))
        assert source["turn"]
        assert source["rule"]


def test_the_callers_number_was_not_asked_again(report: dict[str, Any]) -> None:
    phone = report["call"]["order"]["fields"]["phone"]
    assert (phone["value"], phone["provenance"]["rule"]) == (CALLER, "caller_id")
    assert not any("联系电话" in text and "请留" in text for text in said_by(report, "call", "bot"))


def test_the_call_was_recognised_and_reached_a_person(report: dict[str, Any]) -> None:
    heard = said_by(report, "call", "citizen")
    assert len(heard) == len(CALL_SAYS)
    assert "转人工" in said_by(report, "call", "bot")[-1]
    confidences = [t["confidence"] for t in report["call"]["turns"] if t["who"] == "citizen"]
    assert all(0 < confidence <= 1 for confidence in confidences)
