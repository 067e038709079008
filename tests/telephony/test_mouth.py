"""What the front door says: hushed, going on, dropped; on a leg that a test drives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from telephony import mouth as module
from telephony.line import Ended
from telephony.mouth import Mouth, Place
from tests.fakes.leg import FakeLeg
from tts.errors import TtsError
from tts.frames import Request
from tts.places import quiet_before
from tts.speaker import Speaker
from turns.manner import Manner
from turns.replies import Say
from turns.voice import Played

SECOND = 16000  # bytes
TWO = Say("r", "第一句话。第二句话。")


def tone(seconds: float, value: int) -> bytes:
    """Sound without a quiet place, except 10 ms of silence every 300 ms."""
    samples = np.full(int(seconds * 8000), value, "<i2")
    for start in range(2400, len(samples), 2400):
        samples[start - 80 : start] = 0
    return samples.tobytes()


async def until(true: Callable[[], bool]) -> None:
    """Let the loop and its threads work until ``true``."""
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


class Tones:
    """A synthesiser: two seconds a sentence; ``hold`` makes it wait."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: set[str] = set()
        self.hold = asyncio.Event()
        self.hold.set()

    async def speak(self, request: Request) -> bytes:
        self.asked.append(request.text)
        await self.hold.wait()
        if request.text in self.fails:
            raise TtsError("tts_failed", "as told")
        return tone(2, 100 * len(self.asked))

    async def close(self) -> None:
        """Nothing to close."""


class Stage:
    """A mouth on a fake leg, with what it said."""

    def __init__(self, folder: Path) -> None:
        self.synthesiser = Tones()
        self.leg = FakeLeg()
        self.leg.at_once = False
        self.speaker = Speaker(folder, synthesiser=self.synthesiser)
        self.mouth = Mouth(self.leg, self.speaker)

    def say(self, reply: Say = TWO, start: Place | None = None) -> asyncio.Task[Played]:
        return asyncio.create_task(self.mouth.speak(reply, start))

    async def playing(self, count: int) -> None:
        """Until the leg was given its ``count``-th sound."""
        await until(lambda: len(self.leg.playbacks) >= count)

    def heard(self, milliseconds: int) -> None:
        """So much of what plays was sent."""
        self.leg.playbacks[-1].heard_ms = milliseconds

    def ends(self) -> None:
        """What plays was sent whole."""
        self.leg.playbacks[-1].finish(len(self.leg.played[-1]) // 16)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(module, "pause_after", lambda _text: 0.0)
    stage = Stage(tmp_path)
    yield stage
    await stage.speaker.close()


async def test_sentences_follow_each_other(stage: Stage) -> None:
    saying = stage.say()
    for count in (1, 2):
        await stage.playing(count)
        assert stage.mouth.speaking
        stage.ends()
    assert await saying == Played("r", 4000, True, 1.0)
    assert not stage.mouth.speaking
    assert stage.mouth.place == Place(2)
    assert stage.mouth.first_sound_ms > 0


async def test_a_rest_stands_between_sentences(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.leg.at_once = True
    stage.mouth.manner = Manner(0.8)
    await stage.mouth.speak(Say("r", "第一句话。第二句话。"))
    first, second = stage.leg.played
    assert len(second) == 2 * SECOND
    assert len(first) - len(second) == pytest.approx(0.35 / 0.8 * SECOND, abs=320)
    assert not any(first[2 * SECOND :])
    await stage.speaker.close()


async def test_hushed_it_goes_on_from_a_quiet_place(stage: Stage) -> None:
    saying = stage.say()
    await stage.playing(1)
    stage.heard(1000)
    assert stage.mouth.hush()
    assert stage.leg.playbacks[0].stopped
    await asyncio.sleep(0)
    assert not stage.mouth.speaking
    assert stage.mouth.hushed
    assert len(stage.leg.played) == 1
    assert stage.mouth.resume()
    await stage.playing(2)
    again = 2 * SECOND - len(stage.leg.played[1])
    assert SECOND // 2 <= again < SECOND  # up to half a second of what was heard
    assert not any(stage.leg.played[1][:160])  # it begins in silence
    stage.ends()
    await stage.playing(3)
    stage.ends()
    assert await saying == Played("r", 4000, True, 1.0)  # nothing counts twice


async def test_dropped_the_rest_stays_unsaid(stage: Stage) -> None:
    saying = stage.say()
    await stage.playing(1)
    stage.heard(1500)
    assert stage.mouth.drop()
    played = await saying
    assert (played.heard_ms, played.complete) == (1500, False)
    assert played.share == pytest.approx(0.375)
    assert stage.mouth.place == Place(0, 24000)
    assert len(stage.leg.played) == 1


async def test_hushed_then_dropped(stage: Stage) -> None:
    saying = stage.say()
    await stage.playing(1)
    stage.heard(200)
    stage.mouth.hush()
    await asyncio.sleep(0)
    assert stage.mouth.drop()
    assert not (await saying).complete
    assert not stage.mouth.hushed


async def test_hushed_and_resumed_in_one_breath(stage: Stage) -> None:
    saying = stage.say(Say("r", "只有一句"))
    await stage.playing(1)
    stage.heard(100)
    stage.mouth.hush()
    stage.mouth.resume()
    await stage.playing(2)
    assert len(stage.leg.played[1]) == 2 * SECOND  # so little was heard: all once more
    stage.ends()
    assert (await saying).complete


async def test_dropped_before_the_first_sound(stage: Stage) -> None:
    stage.synthesiser.hold.clear()
    saying = stage.say()
    await until(lambda: bool(stage.synthesiser.asked))
    assert stage.mouth.drop()
    assert await saying == Played("r", 0, False, 0.0)
    assert stage.leg.played == []
    stage.synthesiser.hold.set()


async def test_hushed_before_the_first_sound(stage: Stage) -> None:
    saying = stage.say(Say("r", "只有一句"))
    await asyncio.sleep(0)
    assert stage.mouth.hush()
    for _ in range(5):
        await asyncio.sleep(0.001)
    assert stage.leg.played == []
    stage.mouth.resume()
    await stage.playing(1)
    stage.ends()
    assert (await saying).complete


async def test_what_must_be_heard_is_said_to_its_end(stage: Stage) -> None:
    saying = stage.say(Say("r", "请先离开危险的地方", interruptible=False))
    await stage.playing(1)
    assert not stage.mouth.hush()
    assert not stage.mouth.drop()
    assert not stage.leg.playbacks[0].stopped
    stage.ends()
    assert (await saying).complete


async def test_idle_there_is_nothing_to_stop(stage: Stage) -> None:
    assert not stage.mouth.hush()
    assert not stage.mouth.resume()
    assert not stage.mouth.drop()


async def test_it_goes_on_where_it_was_dropped(stage: Stage) -> None:
    saying = stage.say()
    await stage.playing(1)
    stage.ends()
    await stage.playing(2)
    stage.heard(1000)
    stage.mouth.drop()
    await saying
    saying = stage.say(TWO, stage.mouth.place)
    await stage.playing(3)
    assert len(stage.leg.played[2]) < 2 * SECOND
    stage.ends()
    assert (await saying).complete


async def test_a_sentence_that_fails_is_left_out(stage: Stage) -> None:
    stage.synthesiser.fails = {"第一句话。", "第一句话"}
    saying = stage.say()
    await stage.playing(1)
    stage.ends()
    assert await saying == Played("r", 2000, True, 1.0)


async def test_the_caller_hangs_up(stage: Stage) -> None:
    saying = stage.say()
    await stage.playing(1)
    stage.leg.end(Ended("bye"))
    stage.leg.playbacks[0].stop()
    assert not (await saying).complete
    assert len(stage.leg.played) == 1


async def test_a_call_that_is_over_ends_the_speech(stage: Stage) -> None:
    stage.synthesiser.hold.clear()
    saying = stage.say()
    await asyncio.sleep(0)
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    stage.synthesiser.hold.set()


async def test_left_hushed_it_is_dropped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HUSHED_MOST_S", 0.0)
    saying = stage.say()
    await stage.playing(1)
    stage.mouth.hush()
    assert not (await saying).complete


def test_the_quiet_place() -> None:
    sound = tone(2, 500)
    assert quiet_before(sound, 0) == 0
    assert quiet_before(sound, 8000) == 0  # half a second: all again
    place = quiet_before(sound, 16000)
    assert place % 2 == 0
    assert not any(sound[place : place + 160])
    assert 8000 <= place < 16000
    assert quiet_before(sound, 10**9) <= len(sound)
    assert quiet_before(b"", 5) == 0
    assert quiet_before(b"\0", 1) == 0
