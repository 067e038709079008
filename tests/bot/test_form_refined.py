"""What is told out of order makes a field better, and a number that is not whole is said so."""

from __future__ import annotations

from datetime import datetime

import pytest

from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation, told, values
from turns.orders import OrderField
from turns.replies import Ask
from turns.understood import Outcome


@pytest.fixture
def talk(city: City, now: datetime, search: Search) -> Conversation:
    return Conversation(city, search, now.astimezone(city.zone))


def field(outcome: Outcome, name: str) -> OrderField:
    return next(item for item in outcome.understood.slots if item.name == name)


@pytest.mark.parametrize(
    ("vague", "precise", "value"),
    [
        ("晚上", "对了，是昨天晚上十点", "昨天晚上十点（2026年11月19日）"),
        ("昨天", "在阳光花园6号楼，昨天晚上十点", "昨天晚上十点（2026年11月19日）"),
        ("上个星期", "就上周三下午，在阳光花园", "上周三下午（2026年11月11日）"),
    ],
)
async def test_a_more_precise_time_told_while_something_else_is_asked(
    talk: Conversation, vague: str, precise: str, value: str
) -> None:
    await talk.say(f"对面工地{vague}施工吵得睡不着", "complaint")
    outcome = await talk.say(precise, "other")
    when = field(outcome, "when")
    assert when.value == value
    assert len(when.former) == 1
    assert vague in when.former[0]


async def test_a_recurring_time_is_not_narrowed_to_one_evening(talk: Conversation) -> None:
    await talk.say("对面工地每天晚上施工吵得睡不着", "complaint")
    outcome = await talk.say("在阳光花园6号楼，昨天晚上十点还打过电话", "other")
    assert "每天晚上" in values(outcome)["when"]


async def read_back(talk: Conversation) -> Outcome:
    await talk.say("从昨天开始，阳光花园6号楼对面的洗车行占着人行道冲车", "complaint")
    outcome = await talk.say("13912345678", "other")
    assert isinstance(outcome.replies[-1], Ask)
    assert outcome.replies[-1].expects == "yes_no"
    return outcome


async def test_a_number_that_is_not_whole_at_the_read_back_is_said_so(
    talk: Conversation,
) -> None:
    await read_back(talk)
    outcome = await talk.say("不对，电话是1380013", "deny")
    assert told(outcome) == talk.city.prompts.fill("digits_short", count="7")
    outcome = await talk.say("8000", "other")
    assert values(outcome)["phone"] == "13800138000"


async def test_the_whole_number_may_be_said_again(talk: Conversation) -> None:
    await read_back(talk)
    await talk.say("不对，是1380013", "deny")
    outcome = await talk.say("一三八零零一三八零零零", "other")
    assert values(outcome)["phone"] == "13800138000"


async def test_the_last_digits_are_put_right(talk: Conversation) -> None:
    await read_back(talk)
    outcome = await talk.say("不对，后四位是8000", "deny")
    assert values(outcome)["phone"] == "13912348000"


async def test_a_house_number_is_no_telephone_number(talk: Conversation) -> None:
    await read_back(talk)
    outcome = await talk.say("不对，是12号楼", "deny")
    assert values(outcome)["where"] == "阳光花园12号楼对面"
    assert values(outcome)["phone"] == "13912345678"


@pytest.mark.parametrize(
    ("act", "text", "kind"),
    [
        ("complaint", "我要举报楼下烧烤摊油烟大", "举报"),
        ("complaint", "楼顶那家私自盖了一间房子", "举报"),
        ("complaint", "昨晚上打雷以后全村都没电", "求助"),
        ("help", "我反映个事，路灯坏了一排", "求助"),
        ("help", "路灯坏了找物业物业说不管", "投诉"),
        ("complaint", "物业一年不打扫楼道", "投诉"),
        ("suggestion", "路灯全都不亮，给修修吧", "求助"),
        ("suggestion", "给河边步道加几盏路灯", "建议"),
    ],
)
async def test_the_kind_follows_the_words(
    talk: Conversation, act: str, text: str, kind: str
) -> None:
    assert values(await talk.say(text, act))["kind"] == kind


async def test_the_kind_is_known_with_the_story(talk: Conversation) -> None:
    await talk.say("我想反映个情况", "complaint")
    outcome = await talk.say("有个小厂子夜里偷排废水到河里", "report")
    assert values(outcome)["kind"] == "举报"
    assert field(outcome, "kind").provenance.rule == "kind.unlawful"


async def test_what_the_citizen_called_it_stays(talk: Conversation) -> None:
    await talk.say("我要投诉", "complaint")
    outcome = await talk.say("路灯坏了半个月没人修", "help")
    assert values(outcome)["kind"] == "投诉"
