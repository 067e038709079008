"""A telephone number told in several turns, with pauses, keys and corrections."""

from __future__ import annotations

from datetime import datetime

import pytest

from config.city import City
from knowledge.search import Search
from language.telephone import phone, phone_part
from tests.bot.calling import Conversation, told, values
from turns.replies import Ask, Handoff
from turns.understood import Outcome


@pytest.fixture
async def talk(city: City, now: datetime, search: Search) -> Conversation:
    """A complaint up to the question for the number."""
    talk = Conversation(city, search, now.astimezone(city.zone), channel="phone")
    await talk.say("对面的洗车行占着人行道冲车", "complaint")
    await talk.say("在阳光花园6号楼3单元", "other")
    await talk.say("从上个月开始", "other")
    return talk


async def tell(talk: Conversation, *parts: str) -> Outcome:
    """Tell the parts; all but the last are answered by a word that more is awaited."""
    for part in parts[:-1]:
        between = await talk.say(part, "other")
        assert told(between) == talk.city.prompts.digits_go_on
        asked = between.replies[-1]
        assert isinstance(asked, Ask)
        assert asked.expects == "digits"
    return await talk.say(parts[-1], "other")


@pytest.mark.parametrize(
    ("parts", "number"),
    [
        (("幺三八", "零零一三", "八千"), "13800138000"),
        (("我的电话是幺三八", "嗯零零幺三", "八零零零"), "13800138000"),
        (("138", "零零一三", "8000"), "13800138000"),
        (("幺三八，零零一三", "不对，是零零幺四", "两千"), "13800142000"),
        (("幺三八", "零零一三", "不对，是零零一四，八千"), "13800148000"),
        (("幺三八零零", "13912345678"), "13912345678"),
        (("零四七五", "八二三", "一二三四"), "04758231234"),
        (("一三八…零零一三，八千",), "13800138000"),
    ],
)
async def test_parts_are_one_number(
    talk: Conversation, parts: tuple[str, ...], number: str
) -> None:
    assert values(await tell(talk, *parts))["phone"] == number


async def test_it_is_read_back_in_groups(talk: Conversation) -> None:
    asked = (await tell(talk, "幺三八", "零零一三", "八千")).replies[-1]
    assert isinstance(asked, Ask)
    assert "幺三八，零零幺三，八零零零" in asked.speech
    assert "138 0013 8000" in asked.text
    assert "amount" not in talk.slots or talk.slots["amount"] is None


async def test_who_does_not_know_the_rest_is_not_asked_for_ever(talk: Conversation) -> None:
    outcome = await tell(talk, "幺三八", "后面的不记得了")
    assert "phone" not in values(outcome)
    assert isinstance(outcome.replies[-1], Ask)
    assert outcome.replies[-1].expects == "yes_no"


async def test_digits_that_are_no_number_go_to_a_person(talk: Conversation) -> None:
    again = await talk.say("幺三八零零一三八零零", "other")
    assert told(again) != talk.city.prompts.digits_go_on
    outcome = await talk.say("幺三八零零一三八零零", "other")
    assert any(isinstance(r, Handoff) and r.reason == "digits" for r in outcome.replies)


@pytest.mark.parametrize(
    ("text", "number"),
    [("13800138000，八千块钱", "13800138000"), ("欠我八千", None), ("138 0013 8千块", None)],
)
def test_round_last_digits(text: str, number: str | None) -> None:
    assert phone(text) == number


@pytest.mark.parametrize(
    ("text", "digits"),
    [("幺三八", "138"), ("后面是八千", "8000"), ("不对，是0014", "0014"), ("3号楼", ""), ("", ""),
     ("138开头的那个", ""), ("昨天三点", "")],
)  # fmt: skip
def test_part_of_a_number(text: str, digits: str) -> None:
    assert phone_part(text) == digits
