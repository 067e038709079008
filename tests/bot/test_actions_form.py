"""The complaint form as the actions run it, without Rasa."""

from __future__ import annotations

from datetime import datetime

import pytest

from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation, told, values
from turns.replies import Ask, Bye, Handoff
from turns.understood import Outcome

NEW = "对面的洗车行占着人行道冲车"


@pytest.fixture
def talk(city: City, now: datetime, search: Search) -> Conversation:
    return Conversation(city, search, now.astimezone(city.zone))


async def filled(talk: Conversation, phone: str = "13812345678") -> Outcome:
    """A complaint up to its read-back."""
    await talk.say(NEW, "complaint")
    await talk.say("在阳光花园6号楼3单元", "other")
    await talk.say("从上个月开始", "other")
    return await talk.say(phone, "other")


async def test_what_the_story_tells_is_not_asked(talk: Conversation) -> None:
    outcome = await talk.say(
        "阳光花园6号楼3单元昨天晚上有人烧垃圾，我的电话13812345678", "complaint"
    )
    assert outcome.replies[-1].expects == "yes_no"  # type: ignore[union-attr]  # an Ask
    assert values(outcome)["where"] == "阳光花园6号楼3单元"
    assert "2026年11月19日" in values(outcome)["when"]
    assert values(outcome)["phone"] == "13812345678"


async def test_every_field_says_where_it_comes_from(talk: Conversation) -> None:
    outcome = await filled(talk)
    sources = {item.name: item.provenance for item in outcome.understood.slots}
    assert sources["what"].turn == "h1"
    assert (sources["where"].turn, sources["where"].quote) == ("h2", "阳光花园6号楼3单元")
    assert sources["where"].confidence == 0.8
    assert sources["where"].at == talk.now


async def test_read_back_then_yes_writes_the_order(talk: Conversation) -> None:
    read_back = await filled(talk)
    asked = read_back.replies[-1]
    assert isinstance(asked, Ask)
    assert [option.value for option in asked.options] == ["对", "不对"]
    assert "138 1234 5678" in asked.text
    assert "幺三八，幺二三四，五六七八" in asked.speech
    done = await talk.say("对", "affirm")
    (draft,) = talk.orders.drafts.values()
    assert (draft.key, draft.kind) == ("form:c1:h1", "投诉")
    assert {item.provenance.confirmed_by for item in draft.fields} == {"citizen"}
    assert done.understood.order in told(done)
    assert done.understood.decision == "form"
    assert not talk.active
    assert talk.slots["form"] is None
    assert talk.slots["what"] is None


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("不对，是8号楼", "where", "阳光花园8号楼3单元"),
        ("地址错了，是建业小区2号楼", "where", "建业小区2号楼"),
        ("电话不对，是13987654321", "phone", "13987654321"),
        ("电话错了是幺三九八七六五四三二幺", "phone", "13987654321"),
    ],
)
async def test_a_correction_is_read_back_again(
    talk: Conversation, words: str, field: str, value: str
) -> None:
    await filled(talk)
    outcome = await talk.say(words, "deny")
    assert values(outcome)[field] == value
    assert outcome.replies[-1].expects == "yes_no"  # type: ignore[union-attr]  # an Ask
    assert talk.orders.drafts == {}
    await talk.say("对对", "affirm")
    assert len(talk.orders.drafts) == 1


async def test_a_field_called_wrong_is_asked_anew(talk: Conversation) -> None:
    await filled(talk)
    asked = await talk.say("电话错了", "deny")
    assert asked.replies[-1].expects == "digits"  # type: ignore[union-attr]  # an Ask
    outcome = await talk.say("13987654321", "other")
    assert values(outcome)["phone"] == "13987654321"


async def test_a_bare_no_asks_what_is_wrong(talk: Conversation, city: City) -> None:
    await filled(talk)
    assert told(await talk.say("不对", "deny")) == city.prompts.correct_what
    outcome = await talk.say("是8号楼", "other")
    assert values(outcome)["where"] == "阳光花园8号楼3单元"


async def test_a_question_in_between_is_answered_and_the_open_one_asked_again(
    talk: Conversation,
) -> None:
    await talk.say(NEW, "complaint")
    outcome = await talk.say("租房提取公积金要带什么材料", "policy")
    assert outcome.understood.decision == "answer"
    assert outcome.context.matter == "gjj.rent"
    assert "带身份证和银行卡" in told(outcome)
    assert outcome.replies[-1].expects == "address"  # type: ignore[union-attr]  # an Ask
    assert values(await talk.say("阳光花园6号楼", "other"))["where"] == "阳光花园6号楼"


@pytest.mark.parametrize("act", ["policy", "status", "greet", "other", "complaint"])
async def test_the_expected_answer_wins_over_the_act(talk: Conversation, act: str) -> None:
    await talk.say(NEW, "complaint")
    outcome = await talk.say("就在建业小区九号楼那儿", act)
    assert values(outcome)["where"].startswith("建业小区9号楼")


async def test_not_understood_is_asked_once_more_then_left_open(talk: Conversation) -> None:
    await talk.say(NEW, "complaint")
    again = await talk.say("哈哈哈", "other")
    assert "没听清地点" in told(again)
    onward = await talk.say("不知道", "other")
    assert "where" not in values(onward)
    assert onward.replies[-1].expects == "open"  # type: ignore[union-attr]  # the time is asked


async def test_the_callers_mobile_number_is_not_asked(
    city: City, now: datetime, search: Search
) -> None:
    talk = Conversation(city, search, now, channel="phone", caller="13800001111")
    outcome = await talk.say(NEW, "complaint")
    phone = next(item for item in outcome.understood.slots if item.name == "phone")
    assert (phone.value, phone.provenance.rule) == ("13800001111", "caller_id")
    await talk.say("阳光花园", "other")
    read_back = await talk.say("昨天", "other")
    assert "138 0000 1111" in told(read_back)


async def test_digits_that_fail_twice_on_the_phone_go_to_a_person(
    city: City, now: datetime, search: Search
) -> None:
    talk = Conversation(city, search, now, channel="phone", caller="anonymous")
    await talk.say(NEW, "complaint")
    await talk.say("阳光花园", "other")
    await talk.say("昨天", "other")
    await talk.say("一三八零零一三八零零", "other")
    outcome = await talk.say("一三八零零一三八零零", "other")
    assert outcome.replies == (Handoff("h5.0", "digits"),)
    assert values(outcome)["where"] == "阳光花园"
    assert not talk.active


async def test_cancelled(talk: Conversation, city: City) -> None:
    await talk.say(NEW, "complaint")
    outcome = await talk.say("算了不说了", "cancel")
    assert told(outcome) == city.prompts.cancelled
    assert talk.orders.drafts == {}
    assert not talk.active
    assert talk.slots["what"] is None


async def test_repeat_and_slower(talk: Conversation, city: City) -> None:
    first = await talk.say(NEW, "complaint")
    assert told(await talk.say("再说一遍", "repeat")) == told(first)
    slower = await talk.say("慢点说", "slower")
    assert told(slower).startswith(city.prompts.slower)


async def test_bye_in_the_middle_loses_nothing(talk: Conversation) -> None:
    await talk.say(NEW, "complaint")
    outcome = await talk.say("我先挂了", "bye")
    (draft,) = talk.orders.drafts.values()
    assert {item.provenance.confirmed_by for item in draft.fields} == {""}
    assert isinstance(outcome.replies[-1], Bye)


async def test_a_person_asked_for_inside_the_form(talk: Conversation) -> None:
    await talk.say(NEW, "complaint")
    outcome = await talk.say("给我找个活人", "handoff")
    assert [reply.type for reply in outcome.replies] == ["handoff"]
    assert values(outcome)["what"] == NEW


async def test_the_topic_that_comes_late_brings_its_own_questions(talk: Conversation) -> None:
    first = await talk.say("我要投诉", "complaint")
    assert "什么事情" in told(first)
    await talk.say("老板不发工资", "complaint")
    assert talk.slots["form"]["name"] == "拖欠工资"
    outcome = await talk.say("宏远建筑公司", "other")
    assert values(outcome)["employer"] == "宏远建筑公司"
    await talk.say("在火车站旁边", "other")
    await talk.say("三月到六月", "other")
    await talk.say("一万二", "other")
    outcome = await talk.say("五个", "other")
    assert (values(outcome)["amount"], values(outcome)["people"]) == ("12000", "5")


async def test_a_read_back_that_nobody_answers_goes_to_a_person(talk: Conversation) -> None:
    await filled(talk)
    assert (await talk.say("哎哟喂", "other")).replies[-1].type == "ask"
    outcome = await talk.say("哎哟喂", "other")
    assert outcome.replies == (Handoff("h6.0", "misses"),)


async def test_the_kind_follows_the_act(talk: Conversation) -> None:
    outcome = await talk.say("有人在阳光花园卖假药", "report")
    assert values(outcome)["kind"] == "举报"


async def test_digits_taken_for_a_goodbye_are_still_the_answer(talk: Conversation) -> None:
    await talk.say(NEW, "complaint")
    await talk.say("在阳光花园6号楼", "other")
    await talk.say("昨天", "other")
    outcome = await talk.say("13812345678", "bye", 0.95)
    assert values(outcome)["phone"] == "13812345678"
    assert talk.active


async def test_a_day_told_later_joins_the_hour(talk: Conversation) -> None:
    await talk.say("半夜有人放鞭炮", "complaint")
    await talk.say("在幸福里小区", "other")
    outcome = await talk.say("昨天", "other")
    assert "昨天半夜" in values(outcome)["when"]
    assert "2026年11月19日" in values(outcome)["when"]


async def test_a_place_put_right_while_the_time_is_asked(talk: Conversation) -> None:
    await talk.say("东方名城21号楼漏水", "complaint")
    assert values(await talk.say("不对，是12号楼", "other"))["where"] == "东方名城12号楼"


async def test_the_read_back_is_a_card_too(talk: Conversation) -> None:
    asked = (await filled(talk)).replies[-1]
    assert isinstance(asked, Ask)
    assert asked.card is not None
    assert asked.card.kind == "投诉"
    card = {one.name: one.value for one in asked.card.fields}
    assert card["what"] == NEW
    assert card["where"] == "阳光花园6号楼3单元"
    assert (card["phone"], card["name"]) == ("13812345678", "")


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("地点改成：建业小区2号楼", "where", "建业小区2号楼"),
        ("地点改成：东边那条没有名字的路", "where", "东边那条没有名字的路"),
        ("联系电话改成：139-8765-4321", "phone", "13987654321"),
        ("姓名改成：欧阳小明", "name", "欧阳小明"),
        ("什么事改成：洗车行占道，昨天还有人打起来了，找人工也没有用", "what", None),
    ],
)
async def test_a_field_is_mended_on_the_card(
    talk: Conversation, words: str, name: str, value: str | None
) -> None:
    before = await filled(talk)
    mended = await talk.say(words, "danger" if name == "what" else "other")
    wanted = value or words.partition("：")[2]
    assert values(mended)[name] == wanted
    others = {key: told for key, told in values(before).items() if key != name}
    assert others.items() <= values(mended).items()
    (item,) = [one for one in mended.understood.slots if one.name == name]
    assert (item.provenance.rule, item.provenance.confirmed_by) == ("corrected:card", "citizen")
    assert item.former == ((values(before)[name],) if name in values(before) else ())
    asked = mended.replies[-1]
    assert isinstance(asked, Ask)
    assert asked.card is not None
    assert [one.name for one in asked.card.fields if one.mended] == [name]
    await talk.say("对", "affirm")
    (draft,) = talk.orders.drafts.values()
    assert {one.name: one.value for one in draft.fields}[name] == wanted


async def test_a_value_that_cannot_be_leaves_the_card_as_it_was(talk: Conversation) -> None:
    before = await filled(talk)
    again = await talk.say("联系电话改成：打我电话就行", "other")
    assert values(again) == values(before)
    assert "联系电话" in told(again)
    assert isinstance(again.replies[-1], Ask)
    assert again.replies[-1].card == before.replies[-1].card  # type: ignore[union-attr]  # an Ask
