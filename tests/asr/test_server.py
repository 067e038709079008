"""The server against a stock vosk-server client, our messages, and rubbish."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asr.protocol import MAX_MESSAGE_BYTES
from tests.asr.listening import frames, listening, silence, speech
from tests.fakes.recogniser import FakeRecogniser
from turns.voice import Partial, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent
from turns.wire import load_voice

SCRIPT = "租房提取公积金"


async def ask(socket: ClientConnection, message: str | bytes) -> dict[str, Any]:
    await socket.send(message)
    answer = json.loads(await socket.recv())
    assert isinstance(answer, dict)
    return answer


async def test_a_stock_client_gets_one_answer_for_each_piece_of_sound() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address, connect(f"ws://{address}") as socket:
        await socket.send('{ "config" : { "sample_rate" : 8000 } }')
        answers = [await ask(socket, piece) for piece in frames(speech() + silence(1.5), 4000)]
        partials = [answer["partial"] for answer in answers if "partial" in answer]
        results = [answer for answer in answers if "text" in answer]
        assert "租房提取公积金" in partials
        assert [result["text"] for result in results] == [" ".join(SCRIPT)]
        assert [word["word"] for word in results[0]["result"]] == list(SCRIPT)
        assert (await ask(socket, '{"eof" : 1}')) == {"text": ""}
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_eof_gives_the_words_no_turn_end_has_told() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address, connect(f"ws://{address}") as socket:
        for piece in frames(speech(), 4000):
            await ask(socket, piece)
        assert (await ask(socket, '{"eof" : 1}'))["text"] == " ".join(SCRIPT)


async def test_16_khz_is_brought_down() -> None:
    fake = FakeRecogniser(SCRIPT)
    async with listening(fake) as address, connect(f"ws://{address}") as socket:
        await socket.send('{"config": {"sample_rate": 16000}}')
        await ask(socket, bytes(16000))
        await socket.send('{"eof" : 1}')
        await socket.recv()
    assert fake.streams[0].total_bytes == pytest.approx(8000, abs=1200)


async def hear_events(socket: ClientConnection, pcm: bytes) -> list[VoiceEvent]:
    """Stream ``pcm`` and read until all of it was heard."""
    events: list[VoiceEvent] = []
    for piece in frames(pcm, 640):
        await socket.send(piece)
    while True:
        message = json.loads(await socket.recv())
        if "event" in message:
            events.append(load_voice(message["event"]))
        elif message["heard"] >= len(pcm):
            return events


async def test_events_tell_the_turn_and_its_place_in_the_stream() -> None:
    said = speech()
    async with listening(FakeRecogniser(SCRIPT)) as address, connect(f"ws://{address}") as socket:
        await socket.send('{"config": {"sample_rate": 8000, "events": 1}}')
        events = await hear_events(socket, silence(0.5) + said + silence(1.2))
    kinds = [type(event) for event in events]
    assert kinds[0] in (SpeechStarted, Partial)
    assert kinds[-1] is TurnEnded
    assert kinds.count(TurnEnded) == 1
    assert SpeechStopped in kinds
    turn = events[-1]
    assert isinstance(turn, TurnEnded)
    assert turn.text == SCRIPT
    assert turn.confidence == 0.9
    assert turn.start_ms == pytest.approx(500, abs=150)
    assert turn.end_ms == pytest.approx(500 + len(said) / 16, abs=200)
    assert turn.decided_ms > turn.end_ms
    assert turn.words[0].text == "租"


async def test_expect_reaches_the_recogniser_once_and_reset_forgets() -> None:
    fake = FakeRecogniser("是的")
    async with listening(fake) as address, connect(f"ws://{address}") as socket:
        await socket.send('{"config": {"events": 1}}')
        for _ in range(2):
            await socket.send('{"expect": "yes_no", "grammar": ["是的", "不是"]}')
        await hear_events(socket, speech() + silence(0.3))
        await socket.send('{"expect": "open", "grammar": null}')
        await socket.send('{"reset" : 1}')
        await socket.send(silence(2.0))
        after = json.loads(await socket.recv())
    assert fake.streams[0].grammars == [("是的", "不是"), None]
    assert "heard" in after  # no event stood before it: the turn was forgotten
    assert fake.streams[0].closed


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "not_json"),
        ("[]", "not_json"),
        ("[" * 100_000, "not_json"),
        ("{}", "unknown_message"),
        ('{"config": 3}', "invalid_message"),
        ('{"config": {"sample_rate": 44100}}', "invalid_message"),
        ('{"expect": "poetry"}', "invalid_message"),
        ('{"expect": "open", "grammar": "是"}', "invalid_message"),
        ('{"expect": "open", "grammar": [""]}', "invalid_message"),
        (b"\x00\x01\x02", "odd_bytes"),
    ],
)
async def test_rubbish_is_answered_by_its_code_and_the_end(message: str | bytes, code: str) -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address:
        async with connect(f"ws://{address}") as socket:
            assert await ask(socket, message) == {"error": code}
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        async with connect(f"ws://{address}") as socket:  # the others go on
            assert await ask(socket, silence(0.1)) == {"partial": ""}


async def test_a_huge_message_ends_its_own_connection_only() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address:
        async with connect(f"ws://{address}") as socket:
            await socket.send(bytes(MAX_MESSAGE_BYTES + 2))
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        async with connect(f"ws://{address}") as socket:
            assert await ask(socket, silence(0.1)) == {"partial": ""}


async def test_an_empty_message_is_silence() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address, connect(f"ws://{address}") as socket:
        assert await ask(socket, b"") == {"partial": ""}


async def test_bytes_that_are_no_http_do_not_disturb() -> None:
    async with listening(FakeRecogniser(SCRIPT)) as address:
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01" + b"\xff" * 2000 + b"\r\n\r\n")
        await reader.read()
        writer.close()
        async with connect(f"ws://{address}") as socket:
            assert await ask(socket, silence(0.1)) == {"partial": ""}


async def test_a_recogniser_that_fails_says_so_and_ends_the_stream() -> None:
    fake = FakeRecogniser(SCRIPT, fail_after_bytes=8000)
    async with listening(fake) as address, connect(f"ws://{address}") as socket:
        await ask(socket, silence(0.5))
        assert await ask(socket, speech()) == {"error": "asr_lost"}
    assert fake.streams[0].closed


async def test_health_pages() -> None:
    async with listening(FakeRecogniser(SCRIPT), ready=False) as address:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http:
            assert (await http.get("/livez")).status_code == 200
            assert (await http.get("/readyz")).status_code == 503
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{address}")
    async with (
        listening(FakeRecogniser(SCRIPT)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as http,
    ):
        assert (await http.get("/readyz")).status_code == 200
