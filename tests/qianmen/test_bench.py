from __future__ import annotations

import json
import math
import sys
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import ROOT, Settings
from qianmen.bench import g711, sound
from qianmen.bench.chat import RestPeer, run_chat
from qianmen.bench.figures import Figure, Figures, percentile, spread
from qianmen.bench.questions import CALLS, CHAT
from qianmen.bench.voice import barge_in, elsewhere, fixed_endpoint, run_voice, summary
from qianmen.bench.wire import Caller, WirePatience
from qianmen.citizen import sip
from qianmen.citizen.errors import CitizenError
from telephony.rtp.g711 import PCMA
from tests.fakes.chat_server import chat_server
from tests.fakes.sip_peer import PAUSE_S, SipPeer


def test_percentiles() -> None:
    assert percentile([3.0], 99) == 3.0
    assert percentile(range(101), 95) == 95.0
    assert percentile([1.0, 2.0], 50) == 1.5
    assert math.isnan(percentile([], 50))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_lies_between_the_extremes(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) <= max(values)


def test_figures_are_plain_values() -> None:
    figures = Figures(spread("x", [1.0, 2.0, 3.0], (50, 95), {50: "≤ 5"}), (Figure("y", 1.0),))
    assert figures.to_dict() == {
        "figures": [
            {"name": "x p50", "value": 2.0, "unit": "ms", "goal": "≤ 5"},
            {"name": "x p95", "value": 2.9, "unit": "ms", "goal": ""},
        ],
        "peers": [{"name": "y", "value": 1.0, "unit": "ms", "goal": ""}],
    }
    assert spread("nothing", []) == ()


def test_a_law_agrees_with_the_products_own() -> None:
    codes = bytes(range(256))
    theirs = np.frombuffer(PCMA.decode(codes), dtype="<i2")
    assert np.array_equal(g711.decode(codes), theirs)
    assert g711.encode(g711.decode(codes)) == codes
    assert set(g711.encode(np.zeros(3, dtype=np.int16))) <= {0xD5, 0x55}


def test_speech_ends_with_its_last_loud_block() -> None:
    samples = np.zeros(8000, dtype=np.int16)
    samples[1000:4000] = 8000
    samples[4000:6000] = 20  # a tail that nobody hears
    assert len(sound.until_last_speech(samples)) == 4000
    assert len(sound.until_last_speech(np.zeros(0, dtype=np.int16))) == 0


def test_the_first_audible_sample() -> None:
    samples = np.zeros(160, dtype=np.int16)
    assert sound.first_audible(samples) is None
    samples[7:] = -32768
    assert sound.first_audible(samples) == 7


def test_an_answer_is_timed_from_sample_to_sample() -> None:
    exact = sound.answer_ms(
        sent_ns=1_000_000_000, speech_in_packet=160, received_ns=1_500_000_000, sound_in_packet=0
    )
    assert exact == 500.0
    earlier = sound.answer_ms(
        sent_ns=1_000_000_000, speech_in_packet=80, received_ns=1_500_000_000, sound_in_packet=40
    )
    assert earlier == 515.0


def tone(seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * 8000)) / 8000
    return (9000 * np.sin(2 * np.pi * 300 * times)).astype("<i2")


def test_the_wire_measures_every_question_of_a_call() -> None:
    with SipPeer(law=8) as peer:
        call = Caller(sip.parse_uri(peer.uri), [tone(0.5), tone(0.3)], "127.0.0.1").run()
    assert [turn.question for turn in call.turns] == [0, 1]
    for turn in call.turns:
        assert turn.answer_ms is not None
        assert turn.answer_ms >= PAUSE_S * 1000 - 40  # it cannot have answered before it did
    assert call.greeting_ms is not None
    assert (call.ended_early, call.call_id) == (False, peer.heard.call_ids[0])
    assert peer.heard.requests == ["INVITE", "ACK", "BYE"]
    assert (peer.heard.sequence_gaps, peer.heard.turns) == (0, 2)


def test_a_question_without_an_answer_is_counted_as_that() -> None:
    patience = WirePatience(reply_s=0.5)
    with SipPeer(law=8, reply_s=0.0) as peer:
        call = Caller(sip.parse_uri(peer.uri), [tone(0.2)], "127.0.0.1", patience=patience).run()
    assert [turn.answer_ms for turn in call.turns] == [None]


def test_a_call_that_ends_early_says_so() -> None:
    with SipPeer(law=8, hang_up_after=1) as peer:
        questions = [tone(0.2)] * 3
        call = Caller(sip.parse_uri(peer.uri), questions, "127.0.0.1").run()
    assert call.ended_early
    assert len(call.turns) < 3


def test_a_refused_call_is_an_error() -> None:
    with SipPeer("busy") as peer, pytest.raises(CitizenError) as caught:
        Caller(sip.parse_uri(peer.uri), [], "127.0.0.1").run()
    assert caught.value.code == "rejected"


def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def chirp(folder: Path) -> Path:
    path = folder / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(0.3).tobytes())
    return path


async def test_recordings_are_asked_by_a_process_of_its_own(tmp_path: Path) -> None:
    path = chirp(tmp_path)
    seen: list[dict[str, object]] = []
    with SipPeer(law=8) as peer:
        figures = await run_voice(
            settings(tmp_path), 2, uri=peer.uri, recordings=[path], on_progress=seen.append
        )
    values = {figure.name: figure.value for figure in figures.figures}
    assert values["voice turns"] == 2
    assert values["voice turns unanswered"] == 0
    assert "voice answer p99" in values
    assert len(seen) == 1


async def test_figures_of_calls_held_outlive_a_call_not_taken(tmp_path: Path) -> None:
    with SipPeer(law=8, greet_s=0.2) as peer:  # takes one call and no more
        figures = await run_voice(settings(tmp_path), 7, uri=peer.uri, recordings=[chirp(tmp_path)])
    values = {figure.name: figure.value for figure in figures.figures}
    assert (values["voice turns"], values["voice calls not taken"]) == (6, 1)


async def test_nobody_to_measure_is_an_error(tmp_path: Path) -> None:
    with SipPeer("refuse") as peer, pytest.raises(CitizenError) as caught:
        await run_voice(settings(tmp_path), 1, uri=peer.uri)
    assert caught.value.code == "rejected"


def test_the_summary_counts_what_was_cut_unanswered_and_split() -> None:
    call = {
        "call_id": "x", "answered_ms": 3.0, "greeting_ms": None, "pacing_ms": [20.0],
        "ended_early": True,
        "turns": [{"question": 0, "answer_ms": 900.0, "cut_in": False},
                  {"question": 1, "answer_ms": None, "cut_in": True},
                  {"question": 2, "answer_ms": None, "cut_in": False}],
    }  # fmt: skip
    figures = summary([call], [[{"endpoint_ms": 500.0, "words_ms": 4.0}, {"endpoint_ms": 700.0}]])
    values = {figure.name: figure.value for figure in figures.figures}
    assert values["voice answer p50"] == 900.0
    assert values["voice split: end of turn p50"] == 600.0
    assert values["voice split: words p50"] == 4.0
    assert "voice split: speech p50" not in values
    assert (values["voice turns cut into"], values["voice turns unanswered"]) == (1, 1)
    assert values["voice calls ended early"] == 1
    assert json.dumps(figures.to_dict())


def test_what_callers_would_have_waited_with_another_end_of_turn() -> None:
    call = {"turns": [{"question": 0, "answer_ms": 900.0, "cut_in": False}]}
    figures = fixed_endpoint([call], [[{"endpoint_ms": 500.0}]], [700.0, 900.0])
    assert {figure.name.split()[-1]: figure.value for figure in figures}["p50"] == 1200.0
    assert fixed_endpoint([call], [[{"endpoint_ms": 500.0}]], []) == ()


def test_how_soon_an_answer_stopped_when_it_was_spoken_into() -> None:
    turns = [
        {"barge_in_ms": None, "cut_in": False},
        {"barge_in_ms": 200.0, "cut_in": False},
        {"barge_in_ms": None, "cut_in": True},
    ]
    values = {figure.name: figure.value for figure in barge_in([{"turns": turns}])}
    assert values["barge-in p95"] == 200.0
    assert (values["barge-in tried"], values["barge-in not heard"]) == (2, 1)
    assert barge_in([]) == ()


@pytest.mark.parametrize(
    ("heard", "stopped"),
    [([], 0.0), ([900], 0.0), ([1050, 1200], 200.0), ([1200, 2950], None)],
)
def test_when_an_answer_has_stopped(heard: list[int], stopped: float | None) -> None:
    nanoseconds = [at * 1_000_000 for at in heard]
    assert sound.stopped_ms(nanoseconds, 1_000_000_000, 3_000_000_000) == stopped


def test_the_wire_asks_into_the_answer() -> None:
    with SipPeer(law=8) as peer:
        questions = [tone(0.5), tone(0.5)]
        caller = Caller(sip.parse_uri(peer.uri), questions, "127.0.0.1", barge_in_s=0.2)
        first, second = caller.run().turns
    assert first.barge_in_ms is None
    assert second.cut_in or second.barge_in_ms is not None


def test_what_the_parts_do_not_explain() -> None:
    turns = [{"question": 0, "answer_ms": 900.0, "cut_in": False}]
    parts = {"endpoint_ms": 500.0, "words_ms": 4.0, "dialogue_ms": 30.0, "speech_ms": 10.0}
    assert elsewhere([{"turns": turns}], [[parts]]) == [356.0]
    assert elsewhere([{"turns": turns}], [[parts, parts]]) == []
    assert elsewhere([{"turns": turns}], [[{"endpoint_ms": 500.0}]]) == []


async def test_the_peer_carries_its_context_and_counts_only_answers() -> None:
    asked: list[dict[str, Any]] = []

    def rasa(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        asked.append(body)
        if body["message"] == "空":
            return httpx.Response(200, json=[])
        if body["message"] == "坏":
            return httpx.Response(500, text="broken")
        return httpx.Response(200, json=[{"custom": {"context": {"matter": "gjj.rent"}}}])

    transport = httpx.MockTransport(rasa)
    async with httpx.AsyncClient(transport=transport, base_url="http://rasa") as http:
        peer = RestPeer(http)
        counts = [len(await peer.say(text)) for text in ("租房", "空", "坏", "材料")]
    assert counts == [1, 0, 0, 1]
    assert [body["metadata"]["context"] for body in asked[:2]] == [{}, {"matter": "gjj.rent"}]
    assert len({body["sender"] for body in asked}) == 1


async def test_chat_is_measured_without_a_peer_too(tmp_path: Path) -> None:
    script = {text: [{"type": "say", "text": "好。"}] for text in CHAT}
    script[CHAT[1]] = [{"type": "handoff", "number": "1"}]
    async with chat_server(script) as url:
        figures = await run_chat(settings(tmp_path), 8, base_url=url, rasa_url="http://127.0.0.1:1")
    values = {figure.name: figure.value for figure in figures.figures}
    assert (values["chat turns"], values["chat turns without words"]) == (8, 2)
    assert figures.peers == ()


def test_the_measuring_process_refuses_a_busy_line_without_a_stack_trace() -> None:
    import subprocess

    with SipPeer("busy") as peer:
        done = subprocess.run(
            [sys.executable, "-m", "qianmen.bench.wire_main"], cwd=ROOT, capture_output=True,
            input=json.dumps({"uri": peer.uri, "calls": [[]]}), text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "rejected"
    assert done.stderr == ""


def test_six_turns_a_call_and_a_chat() -> None:
    assert {len(call) for call in (*CALLS, CHAT)} == {6}
