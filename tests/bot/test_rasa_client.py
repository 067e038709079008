"""Rasa's HTTP client: an outcome, or an error with its code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.conversation import DialogueError
from bot.rasa_client import Parsed, RasaClient, RasaError
from turns import wire
from turns.context import Context
from turns.replies import Say
from turns.understood import Outcome, Understood

OUTCOME = Outcome((Say("h.0", "您好。"),), Context(), Understood("greet", "talk"))
MESSAGE = {"recipient_id": "c1", "custom": wire.dump(OUTCOME)}


def client(handler: Callable[[httpx.Request], httpx.Response]) -> RasaClient:
    return RasaClient("http://rasa", 1.0, transport=httpx.MockTransport(handler))


def answering(status: int, body: Any) -> RasaClient:
    return client(lambda _: httpx.Response(status, json=body))


async def test_a_turn() -> None:
    asked: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append({"path": request.url.path, **json.loads(request.content)})
        return httpx.Response(200, json=[MESSAGE])

    assert await client(handler).turn("c1", "你好", {"heard": "h"}) == OUTCOME
    (request,) = asked
    assert request == {
        "path": "/webhooks/rest/webhook", "sender": "c1", "message": "你好",
        "metadata": {"heard": "h"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, [], "rasa_empty"),
        (200, {}, "rasa_invalid"),
        (200, None, "rasa_invalid"),
        (200, ["x"], "rasa_invalid"),
        (200, [{"text": "您好"}], "rasa_invalid"),
        (200, [{"custom": {"replies": 3}}], "rasa_invalid"),
        (200, [MESSAGE, MESSAGE], "rasa_invalid"),
        (500, [MESSAGE], "rasa_invalid"),
        (404, {}, "rasa_invalid"),
    ],
)
async def test_anything_but_one_outcome_is_an_error(status: int, body: Any, code: str) -> None:
    with pytest.raises(RasaError) as caught:
        await answering(status, body).turn("c1", "你好", {})
    assert caught.value.code == code
    assert isinstance(caught.value, DialogueError)


async def test_no_json() -> None:
    rasa = client(lambda _: httpx.Response(200, content=b"\xff<html>"))
    with pytest.raises(RasaError) as caught:
        await rasa.turn("c1", "你好", {})
    assert caught.value.code == "rasa_invalid"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError("refused"), "rasa_down"),
        (httpx.ReadError("reset"), "rasa_down"),
        (httpx.RemoteProtocolError("cut"), "rasa_down"),
        (httpx.ReadTimeout("slow"), "rasa_slow"),
        (httpx.PoolTimeout("busy"), "rasa_slow"),
    ],
)
async def test_trouble_on_the_way(error: httpx.HTTPError, code: str) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(RasaError) as caught:
        await client(handler).turn("c1", "你好", {})
    assert caught.value.code == code
    assert not await client(handler).ready()


@pytest.mark.parametrize("text", ["/restart", "  /policy{}", "/"])
async def test_a_citizen_gives_rasa_no_commands(text: str) -> None:
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content)["message"])
        return httpx.Response(200, json=[MESSAGE])

    await client(handler).turn("c1", text, {})
    assert sent[0].startswith("／")


async def test_parse() -> None:
    rasa = answering(200, {"text": "你好", "intent": {"name": "greet", "confidence": 0.9}})
    assert await rasa.parse("你好") == Parsed("greet", 0.9)


@pytest.mark.parametrize(
    "body", [[], {}, {"intent": {}}, {"intent": {"name": "hack"}}, {"intent": {"name": "greet"}}]
)
async def test_parse_refuses_what_it_does_not_know(body: Any) -> None:
    with pytest.raises(RasaError) as caught:
        await answering(200, body).parse("你好")
    assert caught.value.code == "rasa_invalid"


async def test_ready_and_warm() -> None:
    rasa = answering(200, [MESSAGE])
    assert await rasa.ready()
    await rasa.warm()
    assert not await answering(409, {}).ready()
    await rasa.close()
