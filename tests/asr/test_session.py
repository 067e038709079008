from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from asr.activity import WINDOW_BYTES
from asr.recogniser import Words
from asr.session import Session
from tests.asr.listening import frames
from turns.voice import Partial, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent, Word

SECOND = 16000


class MarkedActivity:
    """Sound is a voice where its first byte is not zero."""

    def __init__(self) -> None:
        self._pending = b""

    def hear(self, pcm: bytes) -> list[float]:
        data = self._pending + pcm
        whole = len(data) - len(data) % WINDOW_BYTES
        self._pending = data[whole:]
        return [float(data[at] != 0) for at in range(0, whole, WINDOW_BYTES)]


class ScriptedStream:
    """Tells a word at set bytes of the whole stream, times counted from the last finish."""

    def __init__(self, words: dict[int, str], *, timed: bool = True) -> None:
        self._words = words
        self._timed = timed
        self._at = self._from = 0
        self.finished_at: list[int] = []

    async def accept(self, pcm: bytes) -> str:
        self._at += len(pcm)
        return "".join(word.text for word in self._told())

    async def finish(self) -> Words:
        words = Words(tuple(self._told()))
        self._from = self._at
        self.finished_at.append(self._at)
        return words

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        pass

    async def close(self) -> None:
        pass

    def _told(self) -> list[Word]:
        heard = [(at, text) for at, text in self._words.items() if self._from < at <= self._at]
        if not self._timed:
            return [Word(text, 0, 0, 0.0) for _, text in heard]
        ends = [((at - self._from) // 16, text) for at, text in heard]
        return [Word(text, end - 100, end, 0.8) for end, text in ends]


async def heard(stream: ScriptedStream, pcm: bytes, size: int = 640) -> list[VoiceEvent]:
    with ThreadPoolExecutor(1) as executor:
        session = Session(stream, MarkedActivity(), executor)
        return [event for piece in frames(pcm, size) for event in await session.feed(piece)]


def voice(seconds: float) -> bytes:
    return b"\x01" * round(SECOND * seconds)


def silence(seconds: float) -> bytes:
    return bytes(round(SECOND * seconds))


def turns(events: list[VoiceEvent]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]


@pytest.mark.parametrize("size", [160, 640, 16000, 10**6])
async def test_a_turn_whatever_the_size_of_the_pieces(size: int) -> None:
    stream = ScriptedStream({SECOND * 3 // 2: "租房", SECOND * 2: "提取"})
    pcm = silence(1.0) + voice(1.0) + silence(1.5)
    (turn,) = turns(await heard(stream, pcm, size))
    assert turn.text == "租房提取"
    assert turn.start_ms == pytest.approx(1000, abs=64)
    assert turn.end_ms == pytest.approx(2000, abs=64)
    assert [word.end_ms for word in turn.words] == [1500, 2000]
    assert turn.confidence == 0.8


async def test_events_stand_in_order() -> None:
    stream = ScriptedStream({SECOND * 3 // 2: "租房"})
    events = await heard(stream, silence(1.0) + voice(1.0) + silence(1.5))
    assert [type(event) for event in events] == [SpeechStarted, Partial, SpeechStopped, TurnEnded]


async def test_words_found_in_noise_are_no_turn_and_of_no_turn() -> None:
    stream = ScriptedStream({SECOND // 2: "嗯", SECOND * 5 // 2: "租房"})
    noise_only = await heard(stream, silence(2.0))
    assert noise_only == []
    stream = ScriptedStream({SECOND // 2: "嗯", SECOND * 5 // 2: "租房"})
    (turn,) = turns(await heard(stream, silence(2.0) + voice(1.0) + silence(1.5)))
    assert turn.text == "租房"


async def test_words_without_times_are_kept() -> None:
    stream = ScriptedStream({SECOND * 5 // 2: "租房"}, timed=False)
    (turn,) = turns(await heard(stream, silence(2.0) + voice(1.0) + silence(1.5)))
    assert (turn.text, turn.confidence) == ("租房", 0.0)


async def test_the_second_turn_has_its_own_words_and_place() -> None:
    stream = ScriptedStream({SECOND: "租房", SECOND * 5: "材料"})
    pcm = voice(1.0) + silence(3.0) + voice(1.0) + silence(1.5)
    first, second = turns(await heard(stream, pcm))
    assert (first.text, second.text) == ("租房", "材料")
    assert second.words[0].end_ms == pytest.approx(5000, abs=1)


async def test_a_cough_is_a_turn_without_words() -> None:
    (turn,) = turns(await heard(ScriptedStream({}), voice(0.3) + silence(1.5)))
    assert (turn.text, turn.confidence, turn.words) == ("", 0.0, ())


async def test_a_long_silence_lets_the_recogniser_start_anew() -> None:
    stream = ScriptedStream({})
    await heard(stream, silence(25))
    assert [at // SECOND for at in stream.finished_at] == [10, 20]
