"""Somebody who waits for a person: where they stand, the bot meanwhile, a call-back instead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bot.noting import noter
from bot.waiting import agrees, standing_words, wait_words, wants_callback
from config.city import City
from handoff.classify import rules_of
from store.tables import Callback, Conversation, HandoffEntry, Turn, WorkOrder, WorkOrderField
from tests.bot.test_conversation import Talk
from tests.fakes.queue import FakeQueue
from turns.context import Context
from turns.replies import QUEUE, Ask, Bye, Connect, Handoff, Option, Reply, Say
from turns.standing import Standing
from turns.understood import Outcome, Understood

ASKING = Outcome(
    (Ask("", "哪一个？", (Option("条件", "条件"), Option("材料", "材料")), "choice"),), Context(),
    Understood("policy", "ask"),
)  # fmt: skip
STANDS = Standing("handoff:c1", "waiting", position=3, estimate_s=250.0)
DOWN = OperationalError("select", {}, Exception("gone"))


class Queueing(Talk):
    """A talk with a queue behind it."""

    def __init__(self, engine: Engine, city: City, now: datetime, channel: str) -> None:
        self.queue = FakeQueue()
        note = noter(rules_of(city))
        super().__init__(engine, city, now, channel, queue=self.queue, note=note)

    async def waits(self) -> list[Reply]:
        self.queue.staffed_by = {"phone", "web"}
        told = await self.say("转人工")
        self.queue.stands = STANDS
        return told


@pytest.fixture
async def call(engine: Engine, city: City, now: datetime) -> AsyncIterator[Queueing]:
    talk = Queueing(engine, city, now, "phone")
    await talk.open()
    yield talk
    await talk.bus.stop()


@pytest.fixture
async def chat(engine: Engine, city: City, now: datetime) -> AsyncIterator[Queueing]:
    talk = Queueing(engine, city, now, "web")
    await talk.open()
    yield talk
    await talk.bus.stop()


def words(told: list[Reply]) -> str:
    return "".join(reply.text for reply in told if isinstance(reply, Say | Ask))


async def test_with_somebody_there_a_caller_waits_in_the_queue(call: Queueing) -> None:
    _say, handoff, connect = await call.waits()
    assert isinstance(handoff, Handoff)
    assert isinstance(connect, Connect)
    assert connect.target == QUEUE


@pytest.mark.parametrize("broken", [False, True])
async def test_with_nobody_there_the_hunt_group_is_called(call: Queueing, broken: bool) -> None:
    call.queue.fails = DOWN if broken else None
    *_, connect = await call.say("转人工", "speech")
    assert isinstance(connect, Connect)
    assert connect.target == "sip:agents@127.0.0.1:5070"


@pytest.mark.parametrize("again", ["转人工", "怎么还没有人工", "人工人工"])
async def test_asked_again_they_are_told_where_they_stand(call: Queueing, again: str) -> None:
    await call.waits()
    (told,) = await call.say(again, "speech")
    assert isinstance(told, Say)
    assert "前面还有2位" in told.text
    assert "5分钟" in told.text
    assert len(call.rows(WorkOrder)) == 1


async def test_the_bot_answers_meanwhile(call: Queueing) -> None:
    await call.waits()
    assert words(await call.say("公积金怎么取", "speech")) == "听到：公积金怎么取"
    assert call.rows(Conversation)[0].state == "waiting"


async def test_danger_while_waiting_is_told_first_and_heads_the_order(call: Queueing) -> None:
    await call.waits()
    say, handoff, connect = await call.say("着火了", "speech")
    assert isinstance(say, Say)
    assert isinstance(handoff, Handoff)
    assert isinstance(connect, Connect)
    assert not say.interruptible
    assert handoff.urgency == "danger"
    assert call.rows(WorkOrder)[0].urgency == "danger"


async def test_key_1_is_a_call_back_on_their_own_number(call: Queueing) -> None:
    await call.waits()
    (ask,) = await call.say("1", "keys")
    assert isinstance(ask, Ask)
    assert "139-0013-9000" in ask.text
    assert "幺三九" in ask.speech
    assert call.queue.callbacks == []
    told, bye = await call.say("1", "keys")
    assert isinstance(told, Say)
    assert isinstance(bye, Bye)
    assert "139-0013-9000" in told.text
    assert call.queue.callbacks == [("c1", "13900139000")]


async def test_another_number_is_asked_for_and_checked(call: Queueing) -> None:
    await call.waits()
    await call.say("我不等了", "speech")
    (ask,) = await call.say("换个号码", "speech")
    assert isinstance(ask, Ask)
    assert ask.expects == "digits"
    assert "没有听清" in words(await call.say("138000", "keys"))
    await call.say("13800138000#", "keys")
    assert call.queue.callbacks == [("c1", "13800138000")]


async def test_a_number_said_with_the_wish_is_taken(chat: Queueing) -> None:
    await chat.waits()
    told = await chat.say("给我回电话吧，我的号码是13800138000")
    assert not any(isinstance(reply, Bye) for reply in told)
    assert chat.queue.callbacks == [("c1", "13800138000")]


async def test_in_a_chat_the_number_is_asked_for(chat: Queueing) -> None:
    await chat.waits()
    (ask,) = await chat.say("留电话，稍后回电")
    assert isinstance(ask, Ask)
    assert words(await chat.say("等一下，公积金怎么取")).startswith("听到")
    await chat.say("留个电话")
    await chat.say("0475-8231234")
    assert chat.queue.callbacks == [("c1", "04758231234")]


async def test_a_person_who_came_first_needs_no_call_back(call: Queueing) -> None:
    await call.waits()
    await call.say("1", "keys")
    call.queue.ask_callback = lambda *_: False  # type: ignore[method-assign]  # just this once
    assert "不用再等" in words(await call.say("可以", "speech"))


async def test_a_key_that_answers_the_bot_is_no_call_back(call: Queueing) -> None:
    await call.waits()
    known = call.dialogue.answers
    known["怎么办"] = ASKING
    await call.say("怎么办", "speech")
    await call.say("1", "keys")
    assert call.dialogue.asked[-1][1] == "1"


async def test_who_does_not_wait_is_answered_as_ever(call: Queueing) -> None:
    assert words(await call.say("1", "keys")) == "听到：1"
    assert words(await call.say("我不等了", "speech")) == "听到：我不等了"


async def test_who_hangs_up_leaves_the_queue(call: Queueing) -> None:
    await call.waits()
    await call.core.close("c1", call.now)
    assert [row.state for row in call.rows(HandoffEntry)] == ["callback"]
    (row,) = call.rows(Callback)
    assert (row.phone, row.reason) == ("13900139000", "abandoned")
    await call.core.close("c1", call.now)
    assert len(call.rows(Callback)) == 1


async def test_who_waits_is_found_by_a_process_that_begins(
    call: Queueing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await call.core.unfinished_calls() == ()
    await call.waits()
    assert await call.core.unfinished_calls() == ("c1",)
    await call.core.call_the_roll(0.0)  # for chats: a call's own line tells when it is over
    monkeypatch.setattr("bot.people.ROLL_CALL_S", 0.0)
    await asyncio.sleep(0.05)
    assert await call.core.unfinished_calls() == ("c1",)
    await call.core.close("c1", call.now)
    assert await call.core.unfinished_calls() == ()


async def test_a_chat_that_nobody_comes_back_to_waits_no_longer(
    chat: Queueing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.ROLL_CALL_S", 0.01)
    await chat.waits()
    assert await chat.core.unfinished_calls() == ()
    await chat.core.call_the_roll(0.01)
    async with asyncio.timeout(60):
        while chat.rows(HandoffEntry)[0].state != "abandoned":  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.01)


async def test_standings_come_at_once_when_something_changed(chat: Queueing) -> None:
    await chat.waits()
    standings = chat.core.standings("c1")
    assert await anext(standings) == STANDS
    coming = asyncio.ensure_future(anext(standings))
    await asyncio.sleep(0)
    chat.queue.stands = replace(STANDS, position=1)
    chat.core.standing_changed("c1")
    async with asyncio.timeout(60):
        assert await coming == replace(STANDS, position=1)
    await standings.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_typing_is_told_and_ends_by_itself(
    chat: Queueing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.TYPING_S", 0.05)
    typed = chat.core.typed("c1", "agent")
    coming = asyncio.ensure_future(anext(typed))
    await asyncio.sleep(0)
    chat.core.typing("c1", "citizen")
    chat.core.typing("c1", "agent")
    async with asyncio.timeout(60):
        assert await coming
        assert not await anext(typed)
    await typed.aclose()  # type: ignore[attr-defined]  # an async generator


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "不到1分钟"), (60, "不到1分钟"), (61, "2分钟左右"), (600, "10分钟左右")],
)
def test_a_wait_is_never_told_shorter_than_it_is(seconds: float, said: str) -> None:
    assert wait_words(seconds) == said


def test_what_is_told_is_true(city: City) -> None:
    def told(**changes: object) -> str:
        return standing_words(city.prompts, replace(STANDS, **changes))  # type: ignore[arg-type]  # its fields

    assert "2位" in told()
    assert "分钟" not in told(estimate_s=None)
    assert "最前面" in told(position=1)
    assert "没有工作人员在线" in told(staffed=False)
    assert "坐席都在忙" in told(staffed=False, attended=True)
    assert "已经接单" in told(state="accepted", position=0)


@pytest.mark.parametrize(
    "text",
    ["我不等了", "不等了", "等不及了", "给我回个电话", "你们回头打给我吧", "稍后回电", "回电吧",
     "留个电话", "留电话，稍后回电", "你给我打电话", "不想等了给我回电话吧", "晚点给我回电话",
     "我不想排队了", "等不了了"],
)  # fmt: skip
def test_a_wish_to_be_called_back(text: str) -> None:
    assert wants_callback(text)


@pytest.mark.parametrize(
    "text",
    ["不用给我回电话", "不要回电话了我等着", "你们上次说回电从来没人回电", "公积金怎么取",
     "电话打不通", "供暖公司电话多少", "小区的灯不亮", "他们一直没有给我回电话", "我等着",
     "打110有用吗",
     "我给物业打电话没人管"],
)  # fmt: skip
def test_what_is_no_wish_to_be_called_back(text: str) -> None:
    assert not wants_callback(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("可以", True), ("1", True), ("1#", True), ("对的", True), ("嗯", True), ("不对", False),
     ("2", False), ("换个号码", False), ("不是这个", False), ("公积金怎么取", None)],
)  # fmt: skip
def test_yes_and_no(text: str, said: bool | None) -> None:
    assert agrees(text) is said


async def test_what_is_told_while_waiting_goes_into_the_order(chat: Queueing, city: City) -> None:
    await chat.waits()
    for text in ("在阳光花园3号楼", "昨天晚上十点", "我的电话是13812345678"):
        assert words(await chat.say(text)) == city.prompts.waiting_noted
    fields = {row.name: row.value for row in chat.rows(WorkOrderField)}
    assert (fields["where"], fields["phone"]) == ("阳光花园3号楼", "13812345678")
    assert "昨天晚上十点" in fields["when"]
    last = next(turn for turn in chat.rows(Turn) if turn.heard == f"h{chat.count}")
    known = {slot["name"] for slot in last.understood["slots"]}
    assert last.decision == "form"
    assert {"where", "when", "phone"} <= known
    assert chat.dialogue.asked == []


async def test_a_question_asked_while_waiting_is_the_bots(chat: Queueing) -> None:
    await chat.waits()
    await chat.say("阳光花园3号楼归哪个社区管")
    assert [turn[1] for turn in chat.dialogue.asked] == ["阳光花园3号楼归哪个社区管"]
