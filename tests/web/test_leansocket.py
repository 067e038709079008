"""uvicorn's socket with less kept: what it takes, how long it waits, and a real client on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from config.listening import listen
from web.leansocket import Gate, Inbox, LeanSocket

EVERY_S, PATIENCE_S = 25.0, 20.0


class Clock:
    """An event loop's time, and what is to happen at which."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> Any:
        one = (self.now + delay, call)
        self.due.append(one)
        return SimpleNamespace(cancel=lambda: self.due.remove(one))

    def pass_to(self, until: float, late: float = 0.0) -> None:
        """What is due until then happens, each ``late`` seconds late."""
        while due := [one for one in self.due if one[0] <= until]:
            first = min(due, key=lambda one: one[0])
            self.due.remove(first)
            self.now = first[0] + late
            first[1]()
        self.now = max(self.now, until)


def a_socket(clock: Clock) -> tuple[LeanSocket, list[bytes]]:
    """One after the handshake, and what it writes."""
    config = uvicorn.Config(
        echo,
        interface="asgi3",
        ws_ping_interval=EVERY_S,
        ws_ping_timeout=PATIENCE_S,
        log_config=None,
    )
    config.loaded, config.loaded_app = True, cast(Any, echo)
    socket = LeanSocket(config, ServerState(), {}, cast(Any, clock))
    written: list[bytes] = []
    socket.transport = cast(
        Any, SimpleNamespace(is_closing=lambda: False, write=written.append, close=lambda: None)
    )
    state = type(socket.conn.state)
    socket.conn.state = state.OPEN
    socket.schedule_ping()
    return socket, written


def hear(socket: LeanSocket) -> None:
    """A sign of life that is no pong: the first byte of a frame."""
    socket._heard_at = socket.loop.time()


def given_up(socket: LeanSocket) -> bool:
    return socket.close_sent


def test_who_says_something_is_not_pinged() -> None:
    clock = Clock()
    socket, written = a_socket(clock)
    for seconds in range(20, 400, 20):
        clock.pass_to(seconds)
        hear(socket)
    assert written == []
    clock.pass_to(380 + EVERY_S)
    assert len(written) == 1  # silent for so long: asked


def test_who_answers_nothing_is_given_up() -> None:
    clock = Clock()
    socket, written = a_socket(clock)
    clock.pass_to(EVERY_S + PATIENCE_S - 1)
    assert not given_up(socket)
    clock.pass_to(EVERY_S + PATIENCE_S)
    assert given_up(socket)
    assert len(written) == 2
    assert clock.due == []


def test_anything_said_since_counts_as_an_answer() -> None:
    clock = Clock()
    socket, _ = a_socket(clock)
    clock.pass_to(EVERY_S + 1)
    hear(socket)
    clock.pass_to(EVERY_S + PATIENCE_S + 1)
    assert not given_up(socket)
    clock.pass_to(3 * (EVERY_S + PATIENCE_S))
    assert given_up(socket)  # and then silent for good


def test_a_process_that_stood_still_looks_first_at_what_came_meanwhile() -> None:
    clock = Clock()
    socket, _ = a_socket(clock)
    clock.pass_to(EVERY_S)
    clock.pass_to(EVERY_S + PATIENCE_S, late=30)
    assert not given_up(socket)
    hear(socket)
    clock.pass_to(clock.now + 2)
    assert not given_up(socket)


async def test_an_inbox_gives_in_order_and_loses_nothing_to_a_taker_who_gives_up() -> None:
    inbox = Inbox()
    assert inbox.empty()
    taker = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait(1)
    taker.cancel()
    await asyncio.wait([taker])
    inbox.put_nowait(2)
    assert [await inbox.get(), await inbox.get()] == [1, 2]
    assert inbox.empty()


async def test_a_gate_holds_whoever_comes_until_it_opens() -> None:
    gate = Gate()
    await gate.wait()
    gate.clear()
    gate.clear()
    waits = [asyncio.ensure_future(gate.wait()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waits)
    gate.set()
    await asyncio.gather(*waits)
    await gate.wait()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says back what it hears; the query says what to do else."""
    assert scope["type"] == "websocket"
    await receive()
    if scope["query_string"] == b"no":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4001})
            return
        await send({"type": "websocket.send", "text": message["text"]})


async def test_a_real_client_talks_with_it_and_sees_how_it_ends() -> None:
    config = uvicorn.Config(echo, ws=LeanSocket, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0, "a test") as taken:
        taken.listen()
        address = f"ws://127.0.0.1:{taken.getsockname()[1]}/"
        serving = asyncio.ensure_future(server.serve(sockets=[taken]))
        try:
            async with connect(address, proxy=None) as client:
                long = "长" * 100_000
                for text in ("一", long, "二"):
                    await client.send(text)
                assert [await client.recv() for _ in range(3)] == ["一", long, "二"]
                await client.send("bye")
                await client.wait_closed()
                assert client.close_code == 4001
            with pytest.raises(InvalidStatus) as refused:
                await connect(address + "?no", proxy=None)
            assert refused.value.response.status_code == 403
        finally:
            server.should_exit = True
            await serving
