"""A chat goes on after kill -9 of its web process on another one: real processes, one database."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from config.settings import Settings
from qianmen.bench.idle import own_web
from store.engine import open_store, upgrade
from tests.fakes.dialogue import outcome
from turns.wire import dump

PATIENCE_S = 120


class SlowRasa:
    """Answers like Rasa's REST channel, but never to the first question."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.first = asyncio.Event()
        self.over = asyncio.Event()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            self.over.set()
            server.close()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = next((int(line.split(":")[1]) for line in head.split("\r\n")
                         if line.lower().startswith("content-length")), 0)  # fmt: skip
            body = await reader.readexactly(size)
            answer = await self._answer(head.split(" ")[1], body)
            text = json.dumps(answer).encode()
            kind = b"Content-Type: application/json\r\nConnection: close"
            length = b"Content-Length: %d" % len(text)
            writer.write(b"\r\n".join((b"HTTP/1.1 200 OK", kind, length, b"", text)))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever asked was killed
        finally:
            writer.close()

    async def _answer(self, path: str, body: bytes) -> Any:
        if not path.startswith("/webhooks"):
            return {"events": []}
        text = json.loads(body)["message"]
        self.asked.append(text)
        if len(self.asked) == 1:
            self.first.set()
            await self.over.wait()
        return [{"custom": dump(outcome(f"听到：{text}"))}]


class Page:
    """A browser: its token, its cursor, and what it was told."""

    def __init__(self) -> None:
        self.session, self.cursor = "", 0
        self.told: list[tuple[str, str]] = []

    async def hello(self, socket: ClientConnection) -> None:
        await socket.send(
            json.dumps({"type": "hello", "session": self.session, "cursor": self.cursor})
        )
        while (await self._frame(socket))["type"] != "history":
            pass

    async def say(self, socket: ClientConnection, known: str, text: str) -> None:
        await socket.send(json.dumps({"type": "text", "id": known, "text": text}))
        while (await self._frame(socket)) != {"type": "ack", "id": known}:
            pass

    async def answered(self, socket: ClientConnection, known: str) -> None:
        while known not in [name for name, _ in self.told]:
            await self._frame(socket)

    async def _frame(self, socket: ClientConnection) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await socket.recv())
        if frame["type"] == "welcome":
            self.session = frame["session"]
        turns = frame["turns"] if frame["type"] == "history" else [frame]
        for turn in turns:
            if "cursor" in turn and turn.get("type") != "welcome":
                assert turn["cursor"] > self.cursor
                self.cursor = turn["cursor"]
                if turn["speaker"] == "bot":
                    self.told.append((turn["in_reply_to"], turn["reply"]["text"]))
        return frame


@pytest.mark.slow
async def test_a_chat_goes_on_elsewhere_after_its_process_was_killed(tmp_path: Path) -> None:
    rasa, page = SlowRasa(), Page()
    settings = Settings(data_dir=tmp_path, secret_key=secrets.token_hex(16))
    async with asyncio.timeout(5 * PATIENCE_S), AsyncExitStack() as stack:
        await stack.enter_async_context(rasa.serving())
        more = {"QIANMEN_RASA_SERVER": rasa.url, "QIANMEN_RASA_TIMEOUT_S": "10",
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "QIANMEN_SECRET_KEY": settings.secret_key}  # fmt: skip
        engine = open_store(settings)
        upgrade(engine)
        engine.dispose()
        webs = (stack.enter_async_context(own_web(settings, tmp_path, more)) for _ in range(2))
        (first, one), (second, _) = await asyncio.gather(*webs)
        async with connect(f"ws://127.0.0.1:{first}/chat/ws", proxy=None) as socket:
            await page.hello(socket)
            await page.say(socket, "message1", "公积金怎么取")
            await rasa.first.wait()
            one.kill()
        async with connect(f"ws://127.0.0.1:{second}/chat/ws", proxy=None) as socket:
            await page.hello(socket)
            await page.say(socket, "message1", "公积金怎么取")  # the page cannot know better
            await page.say(socket, "message2", "还有呢")
            await page.answered(socket, "message2")
        async with connect(f"ws://127.0.0.1:{second}/chat/ws", proxy=None) as socket:
            again = Page()
            again.session = page.session
            await again.hello(socket)
    assert page.told[1:] == [("message1", "听到：公积金怎么取"), ("message2", "听到：还有呢")]
    assert again.told == page.told
    assert rasa.asked == ["公积金怎么取", "公积金怎么取", "还有呢"]
