"""The actions' HTTP app: what Rasa gets, and what rubbish gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.app import create_app
from bot.actions.calls import WebhookError, read_call
from bot.actions.dialogue import Dialogue
from bot.lookahead import Lookahead
from bot.rasa_client import Parsed
from config.city import City
from knowledge.published import KnowledgeError
from knowledge.search import Search
from tests.bot.calling import Conversation, Orders
from tests.fakes.exchange import Through
from turns import wire
from turns.context import Context
from turns.understood import Outcome


@pytest.fixture
def talk(city: City, now: datetime, search: Search) -> Conversation:
    return Conversation(city, search, now.astimezone(city.zone))


@pytest.fixture
async def http(city: City, search: Search) -> AsyncIterator[httpx.AsyncClient]:
    async def knowledge() -> Search:
        return search

    async with _client(Dialogue(city, knowledge, Orders().write)) as client:
        yield client


def _client(dialogue: Dialogue) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(dialogue))
    return httpx.AsyncClient(transport=transport, base_url="http://actions")


async def test_a_turn_over_the_wire(http: httpx.AsyncClient, talk: Conversation) -> None:
    answer = await http.post("/webhook", json=talk.body("action_turn", "你好", "greet"))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"events", "responses"}
    outcome = wire.load(Outcome, body["responses"][0]["custom"])
    assert outcome.understood.act == "greet"
    assert all(event["event"] == "slot" for event in body["events"])


async def test_a_complaint_names_the_form_as_the_next_action(
    http: httpx.AsyncClient, talk: Conversation
) -> None:
    answer = await http.post("/webhook", json=talk.body("action_turn", "路灯坏了", "complaint"))
    assert answer.json()["responses"] == []
    assert answer.json()["events"][-1]["name"] == "complaint_form"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"next_action": "action_turn"}',
        b"[" * 5000,
    ],
)
async def test_rubbish_is_refused_with_a_code(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/webhook", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "call_invalid")


async def test_an_unknown_action(http: httpx.AsyncClient, talk: Conversation) -> None:
    answer = await http.post("/webhook", json=talk.body("action_gone", "你好", "greet"))
    assert (answer.status_code, answer.json()["code"]) == (400, "action_unknown")


async def test_too_large(http: httpx.AsyncClient) -> None:
    answer = await http.post("/webhook", content=b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "call_too_large")


@pytest.mark.parametrize(
    ("slot", "value"),
    [("form", 3), ("form", {"act": 1}), ("where", "x"), ("where", {"value": "x"}), ("talk", [])],
)
async def test_broken_slots_are_refused_or_forgotten(
    http: httpx.AsyncClient, talk: Conversation, slot: str, value: Any
) -> None:
    body = talk.body("validate_complaint_form", "路灯坏了", "complaint")
    body["tracker"]["slots"][slot] = value
    answer = await http.post("/webhook", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "call_invalid")


async def test_what_the_citizen_said_is_not_in_an_error(
    http: httpx.AsyncClient, talk: Conversation
) -> None:
    body = talk.body("action_turn", "我的电话是13812345678", "other")
    body["tracker"]["latest_message"]["metadata"]["at"] = "13812345678号"
    answer = await http.post("/webhook", json=body)
    assert answer.status_code == 400
    assert "1381" not in answer.text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner:
       st.lists(inner, max_size=3) | st.dictionaries(
           st.sampled_from(["next_action", "tracker", "sender_id", "slots", "latest_message",
                            "metadata", "heard", "at", "intent", "text"]), inner, max_size=4),
       max_leaves=20))  # fmt: skip
def test_reading_is_total(body: object) -> None:
    with suppress(WebhookError):
        read_call(body)


async def test_looking_ahead_finds_what_the_turn_would(
    http: httpx.AsyncClient, now: datetime
) -> None:
    class Policy:
        async def parse(self, text: str) -> Parsed:
            return Parsed("policy", 0.9)

    ahead = await Lookahead(Policy(), Through(http)).prepare(
        "租房提取公积金要什么材料", Context(), now
    )
    assert (ahead.found.decision, ahead.found.answer) == ("answer", "gjj.rent:材料:city")
    assert ahead.found.context.matter == "gjj.rent"


async def test_search_has_no_side_effects(http: httpx.AsyncClient, now: datetime) -> None:
    asked = {"text": "租房提取公积金有什么条件", "at": now.isoformat(), "context": {}}
    found = (await http.post("/search", json=asked)).json()
    assert (found["decision"], found["answer"]) == ("answer", "gjj.rent:条件:city")
    assert wire.load(Context, found["context"]).matter == "gjj.rent"


@pytest.mark.parametrize(
    "body", [{}, {"text": "x"}, {"text": "x", "at": "gestern", "context": {}}, []]
)
async def test_search_refuses_rubbish(http: httpx.AsyncClient, body: Any) -> None:
    answer = await http.post("/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "search_invalid")


async def test_health(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez")).status_code == 200
    assert (await http.get("/readyz")).status_code == 200


async def test_not_ready_without_knowledge(city: City, talk: Conversation) -> None:
    async def nothing() -> Any:
        raise KnowledgeError

    async with _client(Dialogue(city, nothing, Orders().write)) as http:
        assert (await http.get("/readyz")).status_code == 503
        answer = await http.post("/webhook", json=talk.body("action_turn", "怎么办", "policy"))
        assert (answer.status_code, answer.json()["code"]) == (503, "knowledge_unavailable")


async def test_an_order_that_cannot_be_written(
    city: City, search: Search, talk: Conversation
) -> None:
    async def knowledge() -> Search:
        return search

    async def broken(draft: object) -> Any:
        raise ConnectionError("password=secret")

    body = talk.body("action_turn", "热心司机把我妈送回了家", "praise")
    async with _client(Dialogue(city, knowledge, broken)) as http:
        answer = await http.post("/webhook", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "action_failed")
    assert "secret" not in answer.text
