"""A WebSocket that speaks the web chat's protocol, with answers from a script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Frame = dict[str, Any]


def told(reply: Mapping[str, Any], heard: str, *, last: bool, speaker: str = "bot") -> Frame:
    return {"type": "told", "cursor": 1, "speaker": speaker, "at": "2026-05-04T03:02:01+00:00",
            "in_reply_to": heard, "last": last, "reply": dict(reply)}  # fmt: skip


async def _answer(socket: ServerConnection, frame: Frame, replies: Sequence[Frame]) -> None:
    for number, reply in enumerate(replies):
        if reply.get("close"):
            await socket.close()
            return
        if "frame" in reply:
            await socket.send(json.dumps({**reply["frame"], "id": frame["id"]}))
            continue
        last = number == len(replies) - 1
        await socket.send(json.dumps(told(reply, frame["id"], last=last)))
        if number == 0:  # the acknowledgement may come after the first words
            await socket.send(json.dumps({"type": "ack", "id": frame["id"]}))


@asynccontextmanager
async def chat_server(
    script: Mapping[str, Sequence[Frame]], *, greet: bool = True, raw: str = ""
) -> AsyncIterator[str]:
    """Yields its base URL.

    ``script``: what is told for each text, with ``in_reply_to`` and ``last`` filled in; a frame
    with its own ``type`` goes out as it is; ``{"close": True}`` ends the socket. ``raw`` is sent
    in the place of a welcome.
    """

    async def talk(socket: ServerConnection) -> None:
        assert json.loads(await socket.recv())["type"] == "hello"
        if raw:
            await socket.send(raw)
            return
        await socket.send(json.dumps({"type": "welcome", "session": "s", "conversation": "web-1",
                                      "cursor": 0}))  # fmt: skip
        await socket.send(json.dumps({"type": "history", "turns": []}))
        if greet:
            hello = told({"type": "ask", "text": "您好，请讲。"}, "", last=True)
            await socket.send(json.dumps(hello))
        async for message in socket:
            frame = json.loads(message)
            if frame["type"] == "text":
                await _answer(socket, frame, script[frame["text"]])

    async with serve(talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"
