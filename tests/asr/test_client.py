from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from asr.client import AsrError, Listener, Slow
from tests.asr.listening import frames, listening, silence, speech
from tests.fakes.recogniser import FakeRecogniser
from turns.voice import Partial, TurnEnded, VoiceEvent

SCRIPT = "租房提取公积金"


async def until_turn_ends(listener: Listener) -> list[VoiceEvent]:
    events: list[VoiceEvent] = []
    async for event in listener.events():
        if isinstance(event, Slow):
            continue  # another test run beside this one
        events.append(event)
        if isinstance(event, TurnEnded):
            break
    return events


async def test_a_turn_is_told() -> None:
    async with (
        listening(FakeRecogniser(SCRIPT)) as address,
        Listener.connect(f"ws://{address}") as listener,
    ):
        listener.expect("open")
        for frame in frames(speech() + silence(1.2)):
            listener.feed(frame)
        events = await until_turn_ends(listener)
    turn = events[-1]
    assert isinstance(turn, TurnEnded)
    assert turn.text == SCRIPT


async def test_two_turns_each_with_what_is_expected() -> None:
    fake = FakeRecogniser("是的")
    async with listening(fake) as address, Listener.connect(f"ws://{address}") as listener:
        for expects in ("yes_no", "digits"):
            listener.expect(expects, ["是的", "不是"] if expects == "yes_no" else None)
            for frame in frames(speech() + silence(2.5)):
                listener.feed(frame)
            await until_turn_ends(listener)
    assert fake.streams[0].grammars == [("是的", "不是"), None]


async def test_closing_ends_the_events() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address:
        async with Listener.connect(f"ws://{address}") as listener:
            pass
        assert [event async for event in listener.events()] == []
        listener.feed(silence(1.0))  # too late, and harmless


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "nonsense", "ws://127.0.0.1:1/path"])
async def test_nobody_there(url: str) -> None:
    with pytest.raises(AsrError) as caught:
        async with Listener.connect(url):
            pass
    assert caught.value.code == "asr_unreachable"


async def test_a_server_still_loading_is_unreachable() -> None:
    async with listening(FakeRecogniser(SCRIPT), ready=False) as address:
        with pytest.raises(AsrError) as caught:
            async with Listener.connect(f"ws://{address}"):
                pass
    assert caught.value.code == "asr_unreachable"


async def lost(listener: Listener) -> str:
    """The code with which the events end."""
    with pytest.raises(AsrError) as caught:
        async for _ in listener.events():
            pass
    return caught.value.code


async def test_a_recogniser_failing_on_the_way_is_lost() -> None:
    fake = FakeRecogniser(SCRIPT, fail_after_bytes=8000)
    async with listening(fake) as address, Listener.connect(f"ws://{address}") as listener:
        for frame in frames(speech()):
            listener.feed(frame)
        assert await lost(listener) == "asr_lost"
        listener.feed(silence(1.0))
        listener.expect("open")


@asynccontextmanager
async def server_that(*answers: str, closes: bool = False) -> AsyncIterator[str]:
    """A server that says ``answers`` and then hears nothing more, or closes."""

    async def handle(socket: ServerConnection) -> None:
        await socket.recv()
        for answer in answers:
            await socket.send(answer)
        if not closes:
            await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def test_a_server_that_stalls_is_lost() -> None:
    async with server_that() as url, Listener.connect(url) as listener:
        listener.feed(silence(0.1))
        assert await lost(listener) == "asr_lost"


async def test_a_quiet_line_is_no_stall() -> None:
    async with server_that() as url, Listener.connect(url) as listener:
        reading = asyncio.create_task(anext(listener.events(), None))
        done, _ = await asyncio.wait({reading}, timeout=1.2)
        assert not done
    assert await reading is None


async def test_a_server_that_closes_is_lost() -> None:
    async with server_that(closes=True) as url, Listener.connect(url) as listener:
        assert await lost(listener) == "asr_lost"


@pytest.mark.parametrize(
    "answer", ["rubbish", "[1]", '{"event": {"type": "song"}}', '{"event": 3}', '{"heard": "x"}']
)
async def test_a_server_that_speaks_otherwise_is_lost(answer: str) -> None:
    async with server_that(answer) as url, Listener.connect(url) as listener:
        assert await lost(listener) == "asr_lost"


async def test_messages_of_later_versions_are_passed_over() -> None:
    event = {"type": "partial", "text": "好", "at_ms": 3}
    answers = ('{"news": 1}', json.dumps({"event": event}))
    async with server_that(*answers) as url, Listener.connect(url) as listener:
        told = await anext(listener.events())
    assert isinstance(told, Partial)


async def test_a_backlog_of_ten_seconds_is_a_loss() -> None:
    async with server_that() as url, Listener.connect(url) as listener:
        listener.feed(silence(10.5))
        assert await lost(listener) == "asr_lost"
