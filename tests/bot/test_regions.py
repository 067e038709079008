"""Where the citizen is: told once, asked only where texts differ."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.actions.regions import only_region, region_code, region_said, without_region
from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation, told
from turns.context import Context
from turns.replies import Ask, Say


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("我在临江县", "lin"), ("临江那边居住证去哪办", "lin"), ("我是西河的", "west"),
        ("市里怎么交", "city"), ("我在双山镇", "lin.shuangshan"),
        ("临江县双山镇的", "lin.shuangshan"),
        ("从临江县迁到东城区", ""), ("临江路的灯坏了", ""), ("社保卡怎么办", ""), ("", ""),
    ],
)  # fmt: skip
def test_region_said(text: str, code: str, city: City) -> None:
    assert region_said(text, city) == code


def test_a_region_is_given_by_code_or_name(city: City) -> None:
    assert region_code("lin", city) == region_code(" 临江县 ", city) == "lin"
    assert region_code("火星", city) == region_code("", city) == ""


def test_only_the_region_is_said(city: City) -> None:
    assert only_region("我家住临江县的", city) == "lin"
    assert only_region("我在临江县，居住证去哪办", city) == ""


def test_a_question_without_its_region(city: City) -> None:
    assert without_region("我妈在西河区，去哪办", city) == "去哪办"
    assert without_region("临江县交暖气费到哪", city) == "交暖气费到哪"
    assert without_region("临江县", city) == "临江县"
    assert without_region("去哪办", city) == "去哪办"


@pytest.fixture
def talk(city: City, now: datetime, sample_search: Search) -> Conversation:
    return Conversation(city, sample_search, now.astimezone(city.zone))


ASKED = "供暖什么时候开始"  # a county has a text of its own


async def test_the_citys_text_is_named_so_and_the_county_asked_about(talk: Conversation) -> None:
    outcome = await talk.say(ASKED, "policy")
    said, asked = outcome.replies
    assert isinstance(said, Say)
    assert isinstance(asked, Ask)
    assert said.answer == "heat.fee:时限:city"
    assert said.text.startswith("在市区：")
    assert said.speech.startswith("在市区：")
    assert [option.value for option in asked.options] == ["region:lin"]
    assert "临江县" in asked.text
    assert (outcome.understood.decision, outcome.understood.act) == ("answer", "policy")


@pytest.mark.parametrize("choice", ["region:lin", "我在临江县", "临江县", "对，我在临江"])
async def test_the_countys_text_follows_and_is_not_asked_again(
    talk: Conversation, choice: str
) -> None:
    await talk.say(ASKED, "policy")
    outcome = await talk.say(choice, "other", 0.8)
    assert outcome.understood.answer == "heat.fee:时限:lin"
    assert outcome.context == Context("heat.fee", "时限", "lin")
    again = await talk.say(ASKED, "policy")
    assert len(again.replies) == 1
    assert again.understood.answer == "heat.fee:时限:lin"


async def test_no_to_the_county_leaves_the_answer(talk: Conversation, city: City) -> None:
    await talk.say(ASKED, "policy")
    assert told(await talk.say("不在", "deny")) == city.prompts.anything_else


async def test_where_all_have_one_text_nobody_is_asked(talk: Conversation, city: City) -> None:
    outcome = await talk.say("身份证丢了怎么补", "policy")
    assert len(outcome.replies) == 1
    assert told(await talk.say("我在临江县", "other")) == city.prompts.region_same


async def test_a_place_alone_is_noted(talk: Conversation, city: City) -> None:
    outcome = await talk.say("我在临江县", "other")
    assert told(outcome) == city.prompts.region_noted
    assert outcome.context.region == "lin"
    assert (await talk.say(ASKED, "policy")).understood.answer == "heat.fee:时限:lin"


async def test_a_region_in_a_follow_up_hides_no_question(talk: Conversation) -> None:
    await talk.say("身份证丢了怎么补", "policy")
    outcome = await talk.say("我妈在西河区，去哪办", "policy")
    assert (outcome.understood.matter, outcome.understood.aspect) == ("police.idcard", "地点")
    assert (outcome.context.region, outcome.context.for_whom) == ("west", "parents")
