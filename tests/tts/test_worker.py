from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.frames import (
    FrameError,
    Request,
    dump_request,
    failure,
    framed,
    load_answer,
    load_request,
    read_frame,
    sound,
)
from tts.worker import answer, run


def test_requests_are_answered_in_order_until_the_end() -> None:
    requests = [Request("您好", "cmn", 165), Request("，", "cmn", 165), Request("请讲", "x", 165)]
    source = io.BytesIO(b"".join(framed(dump_request(request)) for request in requests))
    sink = io.BytesIO()
    run(source, sink)
    sink.seek(0)
    answers = []
    while (payload := read_frame(sink)) is not None:
        answers.append(load_answer(payload))
    assert [code for _, code in answers] == ["", "tts_failed", "tts_voice"]
    assert len(answers[0][0]) > 5000


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"\xff", b'{"text":1}', b"[" * 100_000])
def test_a_request_that_is_none_is_answered_by_its_code(payload: bytes) -> None:
    assert answer(payload) == failure("frame_invalid")


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0\5ab", b"\xff\xff\xff\xffab"])
def test_frames_cut_short_are_errors(data: bytes) -> None:
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(data))


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0a", b"\2ab", b"\1\xff"])
def test_answers_that_are_none_are_errors(payload: bytes) -> None:
    with pytest.raises(FrameError):
        load_answer(payload)


@given(st.text(), st.text(), st.integers(0, 1000), st.binary(min_size=2, max_size=64))
def test_round_trips(text: str, voice: str, speed: int, pcm: bytes) -> None:
    request = Request(text, voice, speed)
    assert load_request(dump_request(request)) == request
    even = pcm[: len(pcm) // 2 * 2]
    assert load_answer(sound(even)) == (even, "")
