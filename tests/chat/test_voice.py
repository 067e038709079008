"""Voice notes: every kind that browsers and WeChat send, and what is none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.voice import SAMPLE_RATE, VoiceError, decode, duration_ms, joined, recognise
from tests.chat.voicenotes import KINDS, note
from tests.fakes.vosk_server import StockVoskServer


@pytest.mark.parametrize(("kind", "codec", "rate"), KINDS)
def test_every_kind_of_note_becomes_sound(kind: str, codec: str, rate: int) -> None:
    pcm = decode(note(kind, codec, rate))
    assert 1950 <= duration_ms(pcm) <= 2100
    assert max(pcm) > 0


def test_a_note_is_decoded_no_further_than_it_may_be_long() -> None:
    with pytest.raises(VoiceError, match="more than 1 s") as caught:
        decode(note(), limit_s=1)
    assert caught.value.code == "sound_too_long"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "kind_unknown"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "kind_unknown"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "kind_unknown"),
        (note("wav", "pcm_s16le", 16000, 0.1), "sound_empty"),
        (note()[:300], "sound_broken"),
        (b"OggS" + bytes(500), "sound_broken"),
    ],
)
def test_what_is_no_note_has_a_code(data: bytes, code: str) -> None:
    with pytest.raises(VoiceError) as caught:
        decode(data)
    assert caught.value.code == code


@given(st.sampled_from(KINDS), st.integers(0, 4000), st.binary(min_size=1, max_size=40))
def test_damage_is_told_and_breaks_nothing(
    kind: tuple[str, str, int], at: int, junk: bytes
) -> None:
    data = bytearray(_WHOLE[kind[0]])
    at %= len(data)
    data[at : at + len(junk)] = junk
    with contextlib.suppress(VoiceError):
        assert len(decode(bytes(data))) % 2 == 0


_WHOLE = {kind[0]: note(*kind, seconds=0.5) for kind in KINDS}


async def test_a_note_is_recognised_as_a_whole() -> None:
    server = StockVoskServer(["住房", "公积金", "怎么", "提取"], split=2)
    async with server.serving() as url:
        heard = await recognise(url, bytes(2 * 2 * SAMPLE_RATE))
    assert heard.text == "住房公积金怎么提取"
    assert heard.confidence == pytest.approx(0.8)
    assert server.configs == [{"sample_rate": SAMPLE_RATE, "words": 1}]


async def test_silence_and_a_recogniser_that_is_gone_have_their_codes() -> None:
    async with StockVoskServer([]).serving() as url:
        with pytest.raises(VoiceError) as silent:
            await recognise(url, bytes(SAMPLE_RATE))
    with pytest.raises(VoiceError) as gone:
        await recognise(url, bytes(SAMPLE_RATE))
    async with StockVoskServer(["好"], broken=True).serving() as broken:
        with pytest.raises(VoiceError) as lost:
            await recognise(broken, bytes(SAMPLE_RATE))
    assert silent.value.code == "sound_empty"
    assert gone.value.code == lost.value.code == "asr_unreachable"


def test_words_are_joined_as_they_are_written() -> None:
    assert joined(["我", "要", "OK", "app", "投诉"]) == "我要OK app投诉"
