from __future__ import annotations

from collections.abc import Sequence

import pytest

from asr.activity import WINDOW_BYTES
from asr.recogniser import Words
from asr.session import Session
from tests.asr.listening import frames
from turns.voice import Partial, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent, Word

SECOND = 16000


class MarkedActivity:
    """Sound is a voice where its first byte is odd."""

    def __init__(self) -> None:
        self._pending = b""

    def hear(self, pcm: bytes) -> list[float]:
        data = self._pending + pcm
        whole = len(data) - len(data) % WINDOW_BYTES
        self._pending = data[whole:]
        return [float(data[at] % 2) for at in range(0, whole, WINDOW_BYTES)]


class ScriptedStream:
    """Tells a word where the sound holds its byte, times counted from the last finish."""

    def __init__(self, words: dict[int, str], *, timed: bool = True) -> None:
        self._words = words
        self._timed = timed
        self._sound = b""
        self.given_bytes = 0

    async def accept(self, pcm: bytes) -> str:
        self._sound += pcm
        self.given_bytes += len(pcm)
        return "".join(word.text for word in self._told())

    async def finish(self) -> Words:
        words = Words(tuple(self._told()))
        self._sound = b""
        return words

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        pass

    async def close(self) -> None:
        pass

    def _told(self) -> list[Word]:
        ends = [(self._sound.rfind(byte) + 1, text) for byte, text in self._words.items()]
        heard = sorted((end // 16, text) for end, text in ends if end)
        if not self._timed:
            return [Word(text, 0, 0, 0.0) for _, text in heard]
        return [Word(text, end - 100, end, 0.8) for end, text in heard]


async def heard(stream: ScriptedStream, pcm: bytes, size: int = 640) -> list[VoiceEvent]:
    session = Session(stream, MarkedActivity())
    return [event for piece in frames(pcm, size) for event in await session.feed(piece)]


def voice(seconds: float, byte: int = 1) -> bytes:
    return bytes([byte]) * round(SECOND * seconds)


def silence(seconds: float) -> bytes:
    return bytes(round(SECOND * seconds))


def turns(events: list[VoiceEvent]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]


@pytest.mark.parametrize("size", [160, 640, 16000, 10**6])
async def test_a_turn_whatever_the_size_of_the_pieces(size: int) -> None:
    stream = ScriptedStream({1: "租房", 3: "提取"})
    pcm = silence(1.0) + voice(0.5) + voice(0.5, 3) + silence(1.5)
    (turn,) = turns(await heard(stream, pcm, size))
    assert turn.text == "租房提取"
    assert turn.start_ms == pytest.approx(1000, abs=64)
    assert turn.end_ms == pytest.approx(2000, abs=64)
    assert [word.end_ms for word in turn.words] == [1500, 2000]
    assert turn.confidence == 0.8


async def test_events_stand_in_order() -> None:
    stream = ScriptedStream({1: "租房"})
    events = await heard(stream, silence(1.0) + voice(1.0) + silence(1.5))
    assert [type(event) for event in events] == [SpeechStarted, Partial, SpeechStopped, TurnEnded]


async def test_words_found_in_noise_are_no_turn_and_of_no_turn() -> None:
    noise = silence(1.5) + voice(0.1, 2) + silence(0.4)
    stream = ScriptedStream({2: "嗯", 1: "租房"})
    assert await heard(stream, noise) == []
    stream = ScriptedStream({2: "嗯", 1: "租房"})
    (turn,) = turns(await heard(stream, noise + voice(1.0) + silence(1.5)))
    assert turn.text == "租房"


async def test_a_soft_first_syllable_is_of_the_turn() -> None:
    stream = ScriptedStream({2: "我", 1: "租房"})
    pcm = silence(3.0) + voice(0.2, 2) + voice(1.0) + silence(1.5)
    (turn,) = turns(await heard(stream, pcm))
    assert turn.text == "我租房"
    assert [word.end_ms for word in turn.words] == [3200, 4200]


async def test_words_without_times_are_kept() -> None:
    stream = ScriptedStream({1: "租房"}, timed=False)
    (turn,) = turns(await heard(stream, silence(2.0) + voice(1.0) + silence(1.5)))
    assert (turn.text, turn.confidence) == ("租房", 0.0)


async def test_the_second_turn_has_its_own_words_and_place() -> None:
    stream = ScriptedStream({1: "租房", 3: "材料"})
    pcm = voice(1.0) + silence(3.0) + voice(1.0, 3) + silence(1.5)
    first, second = turns(await heard(stream, pcm))
    assert (first.text, second.text) == ("租房", "材料")
    assert second.words[0].end_ms == pytest.approx(5000, abs=1)


async def test_a_cough_is_a_turn_without_words() -> None:
    (turn,) = turns(await heard(ScriptedStream({}), voice(0.3) + silence(1.5)))
    assert (turn.text, turn.confidence, turn.words) == ("", 0.0, ())


async def test_silence_costs_the_recogniser_nothing() -> None:
    stream = ScriptedStream({})
    await heard(stream, silence(25))
    assert stream.given_bytes == 0
    await heard(stream, silence(5) + voice(1.0) + silence(15))
    assert stream.given_bytes < 4 * SECOND


async def test_the_end_of_the_stream_gives_what_was_not_given_yet() -> None:
    session = Session(ScriptedStream({2: "嗯"}), MarkedActivity())
    await session.feed(silence(5) + voice(0.1, 2))
    words = await session.finish()
    assert [(word.text, word.end_ms) for word in words.words] == [("嗯", 5100)]


async def test_what_was_not_the_caller_is_not_given_later() -> None:
    stream = ScriptedStream({1: "嗯", 3: "租房"})
    session = Session(stream, MarkedActivity())
    await session.feed(silence(1.0) + voice(0.4))
    await session.reset()
    (turn,) = turns(await session.feed(voice(1.0, 3) + silence(1.5)))
    assert turn.text == "租房"
    assert turn.words[0].end_ms == 2400
