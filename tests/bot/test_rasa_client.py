"""Rasa's HTTP client: an outcome, or an error with its code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.conversation import DialogueError
from bot.rasa_client import Parsed, RasaClient, RasaError
from tests.fakes.exchange import Canned
from turns import wire
from turns.context import Context
from turns.replies import Say
from turns.understood import Outcome, Understood

OUTCOME = Outcome((Say("h.0", "您好。"),), Context(), Understood("greet", "talk"))
MESSAGE = {"recipient_id": "c1", "custom": wire.dump(OUTCOME)}


def answering(status: int, body: Any) -> RasaClient:
    return RasaClient("", 1.0, http=Canned(status, json.dumps(body).encode()))


async def test_a_turn() -> None:
    rasa = Canned(200, json.dumps([MESSAGE]).encode())
    assert await RasaClient("", 1.0, http=rasa).turn("c1", "你好", {"heard": "h"}) == OUTCOME
    body = {"sender": "c1", "message": "你好", "metadata": {"heard": "h"}}
    assert rasa.asked == [("POST", "/webhooks/rest/webhook", body)]


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
    rasa = RasaClient("", 1.0, http=Canned(200, b"\xff<html>"))
    with pytest.raises(RasaError) as caught:
        await rasa.turn("c1", "你好", {})
    assert caught.value.code == "rasa_invalid"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, timeout_s: float = 60.0) -> AsyncIterator[RasaClient]:
    """A client of a server that really listens."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    client = RasaClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", timeout_s)
    try:
        yield client
    finally:
        await client.close()
        server.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length"))  # fmt: skip
    return head + await reader.readexactly(size)


async def test_over_a_real_connection() -> None:
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            came.append(await _read(reader))
            content = json.dumps([MESSAGE]).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)

    async with serving(serve) as rasa:
        for _ in range(2):  # the second on the same connection
            assert await rasa.turn("c1", "你好", {}) == OUTCOME
    assert len(came) == 2
    assert came[0].startswith(b"POST /webhooks/rest/webhook HTTP/1.1\r\n")
    assert json.loads(came[0].split(b"\r\n\r\n")[1])["message"] == "你好"


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[", b"SIP/2.0 200 OK\r\n\r\n", b""],
    ids=["breaks off", "no HTTP", "nothing"],
)
async def test_a_connection_that_breaks(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(answer)

    async with serving(serve) as rasa:
        with pytest.raises(RasaError) as caught:
            await rasa.turn("c1", "你好", {})
    assert caught.value.code == "rasa_down"


async def test_nobody_listens() -> None:
    rasa = RasaClient("http://127.0.0.1:1", 60.0)
    with pytest.raises(RasaError) as caught:
        await rasa.turn("c1", "你好", {})
    assert caught.value.code == "rasa_down"
    assert not await rasa.ready()
    await rasa.close()


async def test_no_answer_in_time() -> None:
    over = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with serving(serve, 0.05) as rasa:
        with pytest.raises(RasaError) as caught:
            await rasa.turn("c1", "你好", {})
        over.set()
    assert caught.value.code == "rasa_slow"


@pytest.mark.parametrize("text", ["/restart", "  /policy{}", "/"])
async def test_a_citizen_gives_rasa_no_commands(text: str) -> None:
    rasa = Canned(200, json.dumps([MESSAGE]).encode())
    await RasaClient("", 1.0, http=rasa).turn("c1", text, {})
    ((_, _, body),) = rasa.asked
    assert body["message"].startswith("／")


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
