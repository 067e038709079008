"""The parts of listening that know no clock: echo, phrases, looking ahead."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bot.errors import ConversationError
from telephony import foreseeing
from telephony.echo import Echo
from telephony.foreseeing import Foreseeing
from telephony.line import Frame
from telephony.narrowing import phrases
from tts.say import synthesise
from turns.replies import Ask, Option, Say

OURS = "您可以带上身份证和租房合同到公积金中心办理，三个工作日内到账。"
THEIRS = "我想问一下买房子怎么取公积金"


def frames(pcm: bytes) -> list[Frame]:
    return [Frame(pcm[at : at + 320], at // 16) for at in range(0, len(pcm) - 319, 320)]


def softer(pcm: bytes, share: float, later_ms: int) -> bytes:
    samples = (np.frombuffer(pcm, "<i2") * share).astype("<i2")
    return bytes(16 * later_ms) + samples.tobytes()


def looks(came: bytes, sent: bytes) -> list[bool]:
    """What the echo says every 200 ms while something comes in."""
    echo = Echo()
    told = []
    for number, (one, other) in enumerate(zip(frames(came), frames(sent), strict=False)):
        echo.came(one)
        echo.sent(other)
        if number % 10 == 9 and echo.likeness() > 0:
            told.append(echo.is_echo())
    return told


@pytest.mark.parametrize(("share", "later_ms"), [(0.3, 60), (0.1, 200), (0.03, 450)])
def test_our_own_sound_is_echo_however_late_and_soft(share: float, later_ms: int) -> None:
    ours = synthesise(OURS)
    told = looks(softer(ours, share, later_ms), ours)
    assert len(told) > 10
    assert sum(told) / len(told) > 0.9


def test_a_caller_is_no_echo() -> None:
    told = looks(synthesise(THEIRS, "cmn+f3", 150), synthesise(OURS))
    assert sum(told) / len(told) < 0.2


def test_silence_is_no_echo() -> None:
    echo = Echo()
    for frame in frames(synthesise(OURS)):
        echo.sent(frame)
    assert echo.likeness() == 0.0


def test_little_is_expected_of_narrow_questions_only() -> None:
    assert phrases(Say("s", "好")) is None
    assert phrases(Ask("q", "请说")) is None
    assert phrases(Ask("q", "在哪里", expects="address")) is None
    assert {"是", "不是", "转人工"} <= set(phrases(Ask("q", "对吗", expects="yes_no")) or ())
    assert {"幺", "两", "零"} <= set(phrases(Ask("q", "电话", expects="digits")) or ())


def test_a_choice_is_made_by_its_labels_and_never_by_a_code() -> None:
    options = (Option("租房提取", "租房怎么提取"), Option("买房提取", "gjj.buy"))
    spoken = phrases(Ask("q", "哪一个", options, expects="choice")) or ()
    assert {"租房提取", "租房怎么提取", "买房提取", "都不是"} <= set(spoken)
    assert "gjj.buy" not in spoken
    assert phrases(Ask("q", "哪一个", expects="choice")) is None


class Dialogue:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, answer: bool | Exception = True) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.complete: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def prepare(self, text: str) -> bool:
        self.asked.append(text)
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreseeing, "REST_S", 0.0)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_words_that_change_are_not_asked_about() -> None:
    dialogue = Dialogue()
    ahead = Foreseeing(dialogue.prepare, dialogue.complete.append)
    for text in ("租", "租房", "租房怎么提取"):
        ahead.words(text)
    await settle()
    assert dialogue.asked == ["租房怎么提取"]
    ahead.words("租房怎么提取")  # the same once more: nothing new to ask
    await settle()
    assert (dialogue.asked, dialogue.complete) == (["租房怎么提取"], ["租房怎么提取"])


async def test_an_answer_for_words_that_changed_meanwhile_is_not_told() -> None:
    dialogue = Dialogue()
    dialogue.gate.clear()
    ahead = Foreseeing(dialogue.prepare, dialogue.complete.append)
    ahead.words("租房怎么提取")
    await settle()
    ahead.words("租房怎么提取公积金")
    dialogue.gate.set()
    await settle()
    assert dialogue.complete == ["租房怎么提取公积金"]


async def test_words_go_on_with_those_before_but_are_told_alone() -> None:
    dialogue = Dialogue()
    Foreseeing(dialogue.prepare, dialogue.complete.append).words("提取", before="租房怎么")
    await settle()
    assert (dialogue.asked, dialogue.complete) == (["租房怎么提取"], ["提取"])


@pytest.mark.parametrize("answer", [False, ConversationError("store_down", "as told")])
async def test_what_cannot_be_answered_is_not_told(answer: bool | Exception) -> None:
    dialogue = Dialogue(answer)
    Foreseeing(dialogue.prepare, dialogue.complete.append).words("租房")
    await settle()
    assert dialogue.asked
    assert dialogue.complete == []


async def test_a_slow_look_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreseeing, "LONGEST_S", 0.0)
    dialogue = Dialogue()
    dialogue.gate.clear()
    ahead = Foreseeing(dialogue.prepare, dialogue.complete.append)
    ahead.words("租房")
    assert ahead._task is not None
    await ahead._task
    assert dialogue.complete == []


async def test_nothing_is_foreseen_after_the_turn() -> None:
    dialogue = Dialogue()
    ahead = Foreseeing(dialogue.prepare, dialogue.complete.append)
    ahead.words("租房")
    ahead.stop()
    await settle()
    assert dialogue.asked == []
