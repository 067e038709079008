"""The key * in a form: the previous question once more, its answer forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from bot import history
from bot.bus import Bus
from bot.conversation import Conversations, DialogueError, Parts
from bot.urgent import Urgent
from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation, Orders
from tests.bot.test_conversation import NOBODY, nothing
from turns.heard import Heard, HeardKind
from turns.replies import Ask, Handoff, Reply
from turns.understood import Outcome

STORY = "对面的洗车行占着人行道冲车"


class Forms:
    """Rasa's part, with the real actions behind it; every turn can be forgotten, as Rasa does."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.before: list[tuple[dict[str, Any], bool]] = []
        self.down = False

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        assert sender == "c1"
        self.before.append((dict(self.talk.slots), self.talk.active))
        self.talk.last = metadata["last_replies"]
        act = {STORY: "complaint", "对": "affirm", "再说一遍吧": "repeat"}.get(text, "other")
        return await self.talk.say(text, act)

    async def forget(self, sender: str, heard: str) -> None:
        """Nobody dies here."""

    async def close(self) -> None:
        """It has no connections."""

    async def take_back(self, sender: str) -> None:
        assert sender == "c1"
        if self.down:
            raise DialogueError("rasa_down", "as told")
        self.talk.slots, self.talk.active = self.before.pop()


def not_urgent(_text: str) -> Urgent | None:
    return None


class Caller:
    """One caller of the core with real forms."""

    def __init__(self, engine: Engine, city: City, search: Search, now: datetime) -> None:
        self.engine, self.now = engine, now
        talk = Conversation(city, search, now.astimezone(city.zone), Orders(), "phone")
        self.rasa = Forms(talk)
        parts = Parts(
            engine, city, self.rasa, Bus(NOBODY), not_urgent, lambda _: ("", ""), nothing,
            lambda: now,
        )  # fmt: skip
        self.core = Conversations(parts)
        self.count = 0

    async def say(self, text: str, kind: HeardKind = "speech") -> list[Reply]:
        """One turn; what answers it."""
        self.count += 1
        heard = Heard(f"h{self.count}", "c1", "phone", "12345", kind, text, self.now, 0.9)
        await self.core.answer(heard)
        told = history.told_after(self.engine, "c1", 0)
        return [one.reply for one in told if one.in_reply_to == heard.id]

    async def asked(self, text: str, kind: HeardKind = "speech") -> Ask:
        """One turn; the question that ends its answer."""
        reply = (await self.say(text, kind))[-1]
        assert isinstance(reply, Ask)
        return reply

    def fields(self) -> dict[str, str]:
        """The form as the record has it."""
        state = history.read_state(self.engine, "c1")
        assert state is not None
        return {field.name: field.value for field in state.slots}


@pytest.fixture
async def caller(engine: Engine, city: City, search: Search, now: datetime) -> Caller:
    caller = Caller(engine, city, search, now)
    await caller.core.open("c1", channel="phone", line="12345", citizen="", at=now)
    return caller


def same(one: Ask, other: Ask) -> bool:
    return replace(one, id="") == replace(other, id="")


async def test_the_previous_field_is_asked_again_and_its_value_forgotten(caller: Caller) -> None:
    where = await caller.asked(STORY)
    when = await caller.asked("在阳光花园6号楼3单元")
    assert caller.fields()["where"] == "阳光花园6号楼3单元"
    again = await caller.say("*", "keys")
    assert len(again) == 1
    assert isinstance(again[0], Ask)
    assert same(again[0], where)
    assert "where" not in caller.fields()
    assert same(await caller.asked("在幸福小区2号楼"), when)
    assert caller.fields()["where"] == "幸福小区2号楼"


async def test_step_by_step_to_the_first_question_and_no_further(caller: Caller) -> None:
    where = await caller.asked(STORY)
    when = await caller.asked("在阳光花园6号楼3单元")
    await caller.asked("从上个月开始")
    assert same(await caller.asked("*", "keys"), when)
    assert same(await caller.asked("*", "keys"), where)
    assert same(await caller.asked("*", "keys"), where)
    assert caller.fields()["what"] == STORY
    assert caller.rasa.talk.active


async def test_a_question_asked_twice_is_one_step(caller: Caller) -> None:
    where = await caller.asked(STORY)
    await caller.asked("在阳光花园6号楼3单元")
    await caller.asked("蓝色的那种")
    assert same(await caller.asked("*", "keys"), where)


async def test_from_the_read_back_to_the_number_told(caller: Caller) -> None:
    await caller.asked(STORY)
    await caller.asked("在阳光花园6号楼3单元")
    number = await caller.asked("从上个月开始")
    assert number.expects == "digits"
    read_back = await caller.asked("13812345678", "keys")
    assert read_back.expects == "yes_no"
    assert same(await caller.asked("*", "keys"), number)
    assert "phone" not in caller.fields()
    read_back = await caller.asked("13900139000", "keys")
    assert "幺三九，零零幺三，九零零零" in read_back.speech


async def test_a_written_order_is_not_taken_back(caller: Caller) -> None:
    await caller.asked(STORY)
    await caller.asked("在阳光花园6号楼3单元")
    await caller.asked("从上个月开始")
    await caller.asked("13812345678", "keys")
    done = await caller.say("对")
    again = await caller.say("*", "keys")
    assert [getattr(r, "text", "") for r in again] == [getattr(r, "text", "") for r in done]
    assert len(caller.rasa.talk.orders.drafts) == 1


async def test_a_dialogue_that_cannot_go_back_gives_a_person(caller: Caller) -> None:
    await caller.asked(STORY)
    await caller.asked("在阳光花园6号楼3单元")
    caller.rasa.down = True
    told = await caller.say("*", "keys")
    assert any(isinstance(reply, Handoff) and reply.reason == "failure" for reply in told)
