"""Whether the recogniser keeps up, and its page."""

from __future__ import annotations

import json

import httpx
import pytest
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from asr.client import Listener
from asr.metrics import Lag
from asr.protocol import Configure, parse
from tests.asr.listening import frames, listening, silence
from tests.fakes.recogniser import FakeRecogniser
from turns.ids import conversation_of_call


def test_a_stream_that_keeps_up_has_no_lag() -> None:
    now = [0.0]
    lag = Lag(lambda: now[0])
    for second in range(1, 5):
        now[0] = float(second)
        lag.heard(16000)
    assert lag.seconds == 0


def test_what_is_heard_later_than_it_was_said_is_lag() -> None:
    now = [0.0]
    lag = Lag(lambda: now[0])
    for second in (1.0, 3.0, 5.0):
        now[0] = second
        lag.heard(16000)
    assert lag.seconds == 2
    lag.heard(32000)
    assert lag.seconds == 0, "it caught up"


async def test_the_page_is_there_before_the_model_is() -> None:
    client = httpx.AsyncClient(trust_env=False)
    async with client, listening(FakeRecogniser(""), ready=False) as address:
        assert (await client.get(f"http://{address}/readyz")).status_code == 503
        page = await client.get(f"http://{address}/metrics")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert "qianmen_recogniser_ready 0.0" in page.text


async def test_a_stream_is_measured_and_logged_with_its_conversation() -> None:
    before = REGISTRY.get_sample_value("qianmen_recogniser_audio_seconds_total") or 0
    name = conversation_of_call("a call")
    config = {"sample_rate": 8000, "events": 1, "conversation": name}
    with capture_logs() as logs:
        async with (
            listening(FakeRecogniser("")) as address,
            connect(f"ws://{address}", proxy=None) as socket,
        ):
            await socket.send(json.dumps({"config": config}))
            for frame in frames(silence(1.0)):
                await socket.send(frame)
                await socket.recv()
            assert REGISTRY.get_sample_value("qianmen_recogniser_streams") == 1
            await socket.send('{"eof": 1}')
            await socket.recv()
    assert REGISTRY.get_sample_value("qianmen_recogniser_streams") == 0
    heard = REGISTRY.get_sample_value("qianmen_recogniser_audio_seconds_total") or 0
    assert heard - before == pytest.approx(1.0)
    (ended,) = [log for log in logs if log["event"] == "asr_stream_ended"]
    assert (ended["seconds"], ended["turns"]) == (1.0, 0)


async def test_the_phones_ear_names_the_conversation() -> None:
    name = conversation_of_call("a call")
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with listening(FakeRecogniser("")) as address:
            listener = Listener.connect(f"ws://{address}", name)
            async with listener:
                listener.feed(silence(0.1))
    assert [log["conversation"] for log in logs if log["event"] == "asr_stream_ended"] == [name]


@pytest.mark.parametrize("name", ["call-13900139000", "我", 5, None, "web-" + "g" * 32])
def test_what_is_no_conversation_of_ours_is_taken_as_none(name: object) -> None:
    message = parse(json.dumps({"config": {"conversation": name}}))
    assert isinstance(message, Configure)
    assert message.config.conversation == ""
