"""The survey as a citizen lives it: two questions at most, nobody is asked twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from sqlalchemy import Engine

from config.city import City
from store.tables import Conversation, HandoffEntry, Survey
from tests.bot.test_conversation import Talk
from turns.replies import Ask, Bye, Reply, Say


def surveying(city: City, **also: object) -> City:
    targets = city.targets.model_copy(update=also)
    return city.model_copy(update={"targets": targets})


async def talked(engine: Engine, city: City, now: datetime, channel: str) -> Talk:
    talk = Talk(engine, city, now, channel)
    await talk.open()
    await talk.say("转人工")
    await talk.core.connected("c1", now)
    return talk


@pytest.fixture
async def call(engine: Engine, city: City, now: datetime) -> AsyncIterator[Talk]:
    talk = await talked(engine, surveying(city), now, "phone")
    assert await talk.core.person_left("c1", now) == "survey"
    assert await talk.core.ask_survey("c1", now)
    yield talk
    await talk.bus.stop()


def words(told: list[Reply]) -> str:
    return "".join(reply.text for reply in told if isinstance(reply, Say | Ask))


async def test_satisfied_and_solved_by_keys(call: Talk) -> None:
    ask = (await call.told())[-1].reply
    assert isinstance(ask, Ask)
    assert [option.label for option in ask.options] == ["满意", "基本满意", "不满意"]
    assert "按1" in ask.speech
    (more,) = await call.say("1", "keys")
    assert isinstance(more, Ask)
    assert "解决" in more.text
    thanks, bye = await call.say("1", "keys")
    assert "谢谢" in words([thanks])
    assert isinstance(bye, Bye)
    (row,) = call.rows(Survey)
    assert (row.score, row.how, row.solved) == ("satisfied", "keys", True)
    assert call.rows(HandoffEntry)[0].state == "done"


async def test_dissatisfied_and_why_by_voice(call: Talk) -> None:
    (why,) = await call.say("不太满意", "speech")
    assert "哪里不满意" in words([why])
    _, bye = await call.say("等了二十分钟才有人接", "speech")
    assert isinstance(bye, Bye)
    (row,) = call.rows(Survey)
    assert (row.score, row.how, row.why) == ("dissatisfied", "voice", "等了二十分钟才有人接")


async def test_who_says_nothing_is_not_asked_again(call: Talk, city: City) -> None:
    goodbye, bye = await call.say("", "silence")
    assert words([goodbye]) == city.prompts.person_left
    assert isinstance(bye, Bye)
    assert call.rows(Survey)[0].score == ""


async def test_who_says_why_not_is_thanked(call: Talk) -> None:
    await call.say("3", "keys")
    thanks, _ = await call.say("", "silence")
    assert "谢谢" in words([thanks])


async def test_another_question_instead_is_answered(call: Talk) -> None:
    assert words(await call.say("公积金怎么取", "speech")) == "听到：公积金怎么取"
    assert words(await call.say("1", "keys")) == "听到：1"


async def test_danger_comes_before_the_survey(call: Talk) -> None:
    say, *_ = await call.say("着火了", "speech")
    assert "110" in words([say])


async def test_nobody_is_asked_twice(call: Talk, now: datetime) -> None:
    assert not await call.core.ask_survey("c1", now)


async def test_a_city_that_wants_none_asks_none(engine: Engine, city: City, now: datetime) -> None:
    talk = await talked(engine, surveying(city, survey=False), now, "phone")
    assert await talk.core.person_left("c1", now) == "goodbye"
    assert not await talk.core.ask_survey("c1", now)
    await talk.bus.stop()


async def test_in_a_chat_by_buttons_and_the_bot_goes_on(
    engine: Engine, city: City, now: datetime
) -> None:
    talk = await talked(engine, surveying(city, after_person="bot"), now, "web")
    await talk.core.abandon("c1", now)
    assert await talk.core.ask_survey("c1", now)
    await talk.say("基本满意", "choice")
    told = await talk.say("没有解决", "choice")
    assert not any(isinstance(reply, Bye) for reply in told)
    (row,) = talk.rows(Survey)
    assert (row.score, row.how, row.solved) == ("fair", "button", False)
    assert talk.rows(Conversation)[0].state == "bot"
    assert words(await talk.say("公积金")) == "听到：公积金"
    await talk.bus.stop()
