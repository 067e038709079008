"""What the caller's voice does to a call: turns, interruptions, and turns that were cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from asr.client import Slow
from config.city import City
from telephony import ears as ears_module
from telephony.ears import Ears
from telephony.hearing import Back, Lost
from telephony.line import Frame
from telephony.mouth import Mouth
from telephony.parts import CallParts
from telephony.timing import TurnTimes
from tests.fakes.leg import FakeLeg, FakeLine
from tests.telephony.test_call import FakeCore
from tts.speaker import Speaker
from turns.replies import Ask, Say
from turns.voice import Partial, SpeechStarted, TurnEnded

ANSWER = Say("a", "可以提取。要带身份证和租房合同。")
LOUD = Frame(b"\x00\x20\x00\xe0" * 80, 0)


class FakeMouth:
    """Remembers what it is told; speaks until it is told otherwise."""

    def __init__(self) -> None:
        self.speaking = False
        self.hushed = False
        self.done: list[str] = []

    def hush(self) -> bool:
        self.done.append("hush")
        self.speaking, self.hushed = False, True
        return True

    def resume(self) -> bool:
        if not self.hushed:
            return False
        self.done.append("resume")
        self.speaking, self.hushed = True, False
        return True

    def drop(self) -> bool:
        if not (self.speaking or self.hushed):
            return False
        self.done.append("drop")
        self.speaking = self.hushed = False
        return True


class Caller:
    """A caller's ears, and what is heard by them."""

    def __init__(self, core: FakeCore, mouth: FakeMouth, parts: CallParts) -> None:
        self.core, self.mouth = core, mouth
        self.now = 0.0
        self.leg = FakeLeg()
        self.ears = Ears(
            self.leg, parts, "call", "12345", cast(Mouth, mouth), TurnTimes(), lambda: self.now
        )

    async def hears(self, *events: object) -> None:
        for event in events:
            await self.ears._on_voice(event)

    def answering(self, reply: Say | Ask = ANSWER) -> None:
        self.ears.expect(reply)
        self.mouth.speaking = True


@pytest.fixture
async def caller(tmp_path: Path, city: City, now: datetime) -> AsyncIterator[Caller]:
    core, line = FakeCore(now), FakeLine()
    with ThreadPoolExecutor(1) as pool:
        speaker = cast(Speaker, None)  # nothing is spoken here
        parts = CallParts(
            line, core, speaker, city, "ws://127.0.0.1:9", tmp_path, pool, lambda: now
        )
        yield Caller(core, FakeMouth(), parts)


def turn(text: str, start: int = 0, end: int = 1000, *, continues: bool = False) -> TurnEnded:
    return TurnEnded(text, 0.9, start, end, end + 500, continues=continues)


async def test_the_voice_hushes_and_words_drop(caller: Caller) -> None:
    caller.answering()
    await caller.hears(SpeechStarted(0))
    assert caller.mouth.done == ["hush"]
    await caller.hears(Partial("转人", 500), turn("转人工"))
    assert caller.mouth.done == ["hush", "drop"]
    assert [heard.text for heard in caller.core.heard] == ["转人工"]


async def test_a_cough_lets_us_go_on_and_is_no_turn(caller: Caller) -> None:
    caller.answering()
    await caller.hears(SpeechStarted(0), turn("", 0, 300))
    assert caller.mouth.done == ["hush", "resume"]
    assert caller.core.heard == []


async def test_a_long_voice_without_words_is_something_not_understood(caller: Caller) -> None:
    caller.answering()
    await caller.hears(SpeechStarted(0), turn("", 0, 1600))
    assert caller.mouth.done == ["hush", "drop"]
    assert [heard.text for heard in caller.core.heard] == [""]


async def test_our_own_sound_that_comes_back_is_nobody(caller: Caller) -> None:
    caller.answering()
    echo = b"".join(
        (9000 * ((n * 7919) % 97 - 48) // 48).to_bytes(2, "little", signed=True)
        for n in range(160 * 40)
    )
    events = caller.ears._hearing.events()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)  # the ears listen to both directions now
    for at in range(0, len(echo), 320):
        caller.leg.frame(echo[max(at - 320 * 4, 0) :][:320], echo[at : at + 320])
        caller.ears.on_audio(Frame(echo[max(at - 320 * 4, 0) :][:320], at // 16))
    await caller.hears(SpeechStarted(0))
    assert caller.mouth.done == []
    assert caller.mouth.speaking
    assert isinstance(await waiting, Lost)  # nobody recognises here
    await events.aclose()


async def test_our_own_words_that_come_back_are_nobody_s(caller: Caller) -> None:
    caller.answering()
    await caller.hears(SpeechStarted(0), Partial("要带身份证", 900))
    assert caller.mouth.done == ["hush", "resume"]


async def test_a_question_s_words_may_be_its_answer(caller: Caller) -> None:
    caller.answering(Ask("q", "您是想问租房提取，还是买房提取？"))
    await caller.hears(SpeechStarted(0), Partial("租房提取", 900))
    assert caller.mouth.done == ["hush", "drop"]


async def test_who_goes_on_is_heard_as_one_turn(caller: Caller) -> None:
    await caller.hears(SpeechStarted(0), turn("租房怎么", 0, 1000))
    await caller.hears(
        SpeechStarted(2000, continues=True), turn("提取公积金", 2000, 3000, continues=True)
    )
    first, second = caller.core.heard
    assert (first.text, second.text) == ("租房怎么", "租房怎么提取公积金")
    assert (first.continues, second.continues) == ("", first.id)
    assert second.audio is not None
    assert (second.audio.start_ms, second.audio.end_ms) == (0, 3000)


async def test_what_answers_a_turn_that_went_on_is_not_wanted(caller: Caller) -> None:
    await caller.hears(SpeechStarted(0), turn("租房怎么"))
    (first,) = caller.core.heard
    await caller.hears(SpeechStarted(2000, continues=True))
    wanted = asyncio.create_task(caller.ears.floor(first.id))
    await asyncio.sleep(0)
    assert not wanted.done()  # nobody is spoken over
    await caller.hears(turn("提取公积金", 2000, 3000, continues=True))
    assert await wanted is False
    assert await caller.ears.floor(caller.core.heard[-1].id)


async def test_a_cough_behind_a_turn_takes_nothing_back(caller: Caller) -> None:
    await caller.hears(SpeechStarted(0), turn("租房怎么提取"))
    await caller.hears(SpeechStarted(1500, continues=True), turn("", 1500, 1700, continues=True))
    (heard,) = caller.core.heard
    assert await caller.ears.floor(heard.id)


async def test_nothing_goes_on_with_a_key_or_a_silence(caller: Caller) -> None:
    await caller.hears(SpeechStarted(0), turn("租房怎么"))
    await caller.ears._hear("keys", "*")
    await caller.hears(
        SpeechStarted(2000, continues=True), turn("提取", 2000, 3000, continues=True)
    )
    assert caller.core.heard[-1].text == "提取"
    assert caller.core.heard[-1].continues == ""


async def test_the_latest_keys_are_what_is_answered(caller: Caller) -> None:
    async def pressed(key: str) -> str:
        heard = len(caller.core.heard)
        caller.ears.press(key)
        while len(caller.core.heard) == heard:  # noqa: ASYNC110  # the record gives no event
            await asyncio.sleep(0.01)
        return caller.core.heard[-1].id

    watching = asyncio.create_task(caller.ears.watch())
    first, last = await pressed("*"), await pressed("0")
    watching.cancel()
    assert not await caller.ears.floor(first)
    assert await caller.ears.floor(last)


async def test_an_answer_does_not_wait_for_ever(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears_module, "FLOOR_S", 0.01)
    await caller.hears(SpeechStarted(0))
    assert await caller.ears.floor("call.1")


async def test_words_at_rest_are_looked_ahead_at(caller: Caller) -> None:
    asked: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def prepare(conversation: str, text: str) -> bool:
        asked.put_nowait((conversation, text))
        return True

    caller.core.prepare = prepare  # type: ignore[method-assign]  # as told
    await caller.hears(SpeechStarted(0), Partial("租房", 300), Partial("租房提取", 500))
    assert await asked.get() == ("call", "租房提取")
    await caller.hears(turn("租房提取"), SpeechStarted(2000, continues=True))
    await caller.hears(Partial("公积金", 2500))
    assert await asked.get() == ("call", "租房提取公积金")
    await caller.hears(turn("公积金", 2000, 3000, continues=True))
    assert asked.empty()


async def test_nothing_is_looked_ahead_at_where_little_is_expected(caller: Caller) -> None:
    caller.ears.expect(Ask("q", "对吗？", expects="yes_no"))
    await caller.hears(SpeechStarted(0), Partial("对", 300))
    assert caller.ears._foreseeing._task is None


async def test_a_slow_recogniser_is_told_where_somebody_speaks(caller: Caller) -> None:
    await caller.hears(Slow())
    assert caller.core.heard == []
    for _ in range(15):
        caller.ears.on_audio(LOUD)
    await caller.hears(Slow())
    assert [heard.text for heard in caller.core.heard] == ["recogniser_slow"]


async def test_a_loss_is_told_at_once_and_lets_us_finish(caller: Caller) -> None:
    caller.answering()
    await caller.hears(SpeechStarted(0), Lost())
    assert caller.mouth.done == ["hush", "resume"]
    assert [heard.text for heard in caller.core.heard] == ["recogniser_failed"]


async def test_who_gets_a_person_for_a_loss_is_not_asked_again(caller: Caller) -> None:
    await caller.hears(Lost())
    for _ in range(15):
        caller.ears.on_audio(LOUD)
    await caller.hears(Back())
    assert [heard.text for heard in caller.core.heard] == ["recogniser_failed"]


async def test_who_spoke_to_nobody_is_asked_again_when_it_is_back(caller: Caller) -> None:
    caller.ears.deaf = True
    await caller.hears(Lost())
    caller.ears.deaf = False
    for _ in range(15):
        caller.ears.on_audio(LOUD)
    await caller.hears(Back())
    assert [heard.text for heard in caller.core.heard] == ["recogniser_back"]


async def test_a_person_s_caller_is_told_nothing_of_a_loss(caller: Caller) -> None:
    caller.ears.deaf = True
    await caller.hears(Lost(), Back(), SpeechStarted(0), turn("租房"))
    assert caller.core.heard == []
