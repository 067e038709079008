from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from asr.client import Listener
from asr.recogniser import RecogniserError
from asr.vosk_remote import REMOTE_RATE, RemoteRecogniser
from tests.asr.listening import frames, listening, silence, speech
from tests.fakes.vosk_server import StockVoskServer
from turns.voice import TurnEnded

WORDS = ["租房", "提取", "公积金", "材料"]


async def turns_of(listener: Listener, count: int) -> AsyncIterator[TurnEnded]:
    async for event in listener.events():
        if isinstance(event, TurnEnded):
            yield event
            count -= 1
        if not count:
            return


@pytest.mark.parametrize("split", [1000, 1])
async def test_results_split_by_the_server_are_joined(split: int) -> None:
    server = StockVoskServer(WORDS, split)
    async with server.serving() as url:
        stream = await RemoteRecogniser(url).open()
        told = [await stream.accept(piece) for piece in frames(silence(1.6), 800)]
        words = await stream.finish()
        assert told[-1] == "租房提取公积金"
        assert words.text == "租房提取公积金"
        assert words.confidence == pytest.approx(0.8)
        assert await stream.accept(silence(0.6)) == "租房"  # the next turn begins anew
        await stream.close()
    assert [config["sample_rate"] for config in server.configs] == [REMOTE_RATE] * 2


async def test_a_grammar_narrows_no_stock_server() -> None:
    server = StockVoskServer(WORDS)
    async with server.serving() as url:
        stream = await RemoteRecogniser(url).open()
        await stream.set_grammar(["是 的", "不 是"])
        await stream.accept(silence(0.1))
        await stream.finish()
        await stream.set_grammar(None)
        await stream.accept(silence(0.1))
        await stream.close()
    assert [config.get("phrase_list") for config in server.configs] == [None, None]


async def test_nothing_said_needs_no_connection() -> None:
    stream = await RemoteRecogniser("ws://127.0.0.1:1").open()
    assert (await stream.finish()).words == ()


async def test_start_sees_that_the_server_recognises() -> None:
    async with StockVoskServer(WORDS).serving() as url:
        await RemoteRecogniser(url).start()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "nonsense"])
async def test_no_server(url: str) -> None:
    with pytest.raises(RecogniserError) as caught:
        await RemoteRecogniser(url).start()
    assert caught.value.code == "asr_unreachable"
    assert "ASR_URL" in str(caught.value)


async def test_a_server_that_breaks_off() -> None:
    async with StockVoskServer(WORDS, broken=True).serving() as url:
        stream = await RemoteRecogniser(url).open()
        with pytest.raises(RecogniserError) as caught:
            await stream.accept(silence(0.1))
    assert caught.value.code == "asr_lost"


async def test_the_whole_way_through_our_server_to_a_stock_one() -> None:
    async with (
        StockVoskServer(WORDS).serving() as url,
        listening(RemoteRecogniser(url)) as address,
        Listener.connect(f"ws://{address}") as listener,
    ):
        for frame in frames(speech() + silence(1.2)):
            listener.feed(frame)
        texts = [event.text async for event in turns_of(listener, 1)]
    assert texts[0].startswith("租房提取")
