"""Turns outside the form, without Rasa: questions, choices, small talk, and when a person comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bot.actions.calls import read_call
from bot.actions.dialogue import Dialogue
from config.city import City
from knowledge.published import KnowledgeError
from knowledge.search import Search
from tests.bot.calling import Conversation, Orders, told, values
from turns.context import Context
from turns.replies import Ask, Bye, Handoff, Say


@pytest.fixture
def talk(city: City, now: datetime, search: Search) -> Conversation:
    return Conversation(city, search, now.astimezone(city.zone))


async def test_a_question_and_its_follow_up(talk: Conversation) -> None:
    first = await talk.say("租房提取公积金有什么条件", "policy")
    (said,) = first.replies
    assert isinstance(said, Say)
    assert (said.answer, said.speech) == ("gjj.rent:条件:city", "连续缴存满三个月可以提取。")
    assert "示例规定第一条" in said.text
    assert first.understood.decision == "answer"
    assert (first.context.matter, first.context.aspect) == ("gjj.rent", "条件")
    second = await talk.say("要准备什么材料", "policy")
    assert second.understood.answer == "gjj.rent:材料:city"


async def offered(talk: Conversation) -> Ask:
    talk.context = Context()
    outcome = await talk.say("租房提取公积金", "policy")
    assert outcome.understood.decision == "ask"
    (asked,) = outcome.replies
    assert isinstance(asked, Ask)
    return asked


async def test_options_carry_codes_and_a_way_out(talk: Conversation, city: City) -> None:
    asked = await offered(talk)
    assert asked.expects == "choice"
    assert asked.options[-1].label == city.prompts.none_of_these
    assert {option.value for option in asked.options[:-1]} <= {"gjj.rent:条件", "gjj.rent:材料"}


@pytest.mark.parametrize("act", ["policy", "affirm", "other"])
async def test_an_option_is_chosen_by_button(talk: Conversation, act: str) -> None:
    await offered(talk)
    outcome = await talk.say("gjj.rent:材料", act)
    assert outcome.understood.answer == "gjj.rent:材料:city"
    assert outcome.understood.act == "policy"


async def test_an_option_is_chosen_by_place_and_by_words(talk: Conversation) -> None:
    asked = await offered(talk)
    second = asked.options[1].value
    assert (await talk.say("第二个", "affirm")).understood.answer == f"{second}:city"
    asked = await offered(talk)
    outcome = await talk.say("问材料的那个", "other", 0.4)
    assert outcome.understood.answer == "gjj.rent:材料:city"


async def test_none_of_them_is_a_miss(talk: Conversation, city: City) -> None:
    await offered(talk)
    assert told(await talk.say("都不是", "deny")) == city.prompts.miss
    await talk.say("租房提取公积金有什么条件", "policy")
    await offered(talk)
    assert (await talk.say("none", "other")).understood.decision == "miss"


@pytest.mark.parametrize(("confidence", "decision"), [(0.9, "ask"), (0.4, "answer")])
async def test_a_doubtful_answer_is_offered_where_the_act_is_another(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, confidence: float, decision: str
) -> None:
    monkeypatch.setattr("bot.actions.talking._DOUBTLESS", 1.1)
    outcome = await talk.say("租房提取公积金有什么条件", "other", confidence)
    assert (outcome.understood.act, outcome.understood.decision) == ("policy", decision)


async def test_an_offer_between_forgives_no_miss(talk: Conversation) -> None:
    assert (await talk.say("嘟嘟嘟嘟", "policy")).understood.decision == "miss"
    await offered(talk)
    (wish,) = (await talk.say("都不是", "deny")).replies
    assert isinstance(wish, Handoff)
    assert wish.reason == "misses"


async def test_chatter_twice_in_a_row_brings_a_person(talk: Conversation, city: City) -> None:
    assert told(await talk.say("叽里咕噜哇啦", "other")) == city.prompts.other
    (wish,) = (await talk.say("阿巴阿巴", "other")).replies
    assert isinstance(wish, Handoff)
    assert wish.reason == "misses"


async def test_who_asks_how_to_complain_is_offered_the_form(talk: Conversation, city: City) -> None:
    offer = await talk.say("暖气不热怎么投诉", "policy")
    assert told(offer) == city.prompts.take_down_too
    assert (offer.understood.act, offer.understood.decision) == ("complaint", "ask")
    opened = await talk.say("要", "affirm")
    assert (opened.understood.act, opened.understood.decision) == ("complaint", "form")
    assert values(opened)["what"] == "暖气不热怎么投诉"


async def test_an_option_that_is_no_longer_published_is_a_miss(talk: Conversation) -> None:
    assert (await talk.say("gjj.gone:条件", "policy")).understood.decision == "miss"


async def test_two_misses_in_a_row_bring_a_person(talk: Conversation, city: City) -> None:
    assert told(await talk.say("今晚月亮好圆", "policy")) == city.prompts.miss
    await talk.say("租房提取公积金有什么条件", "policy")
    assert told(await talk.say("今晚月亮好圆", "policy")) == city.prompts.miss
    outcome = await talk.say("滴滴滴滴", "other", 0.2)
    assert outcome.replies == (Handoff("h4.0", "misses"),)
    assert outcome.understood.decision == "handoff"


async def test_two_insults_bring_a_person(talk: Conversation, city: City) -> None:
    assert told(await talk.say("废物", "insult")) == city.prompts.insult
    assert (await talk.say("废物", "insult")).replies == (Handoff("h2.0", "anger"),)


@pytest.mark.parametrize(("act", "reason"), [("handoff", "asked"), ("danger", "danger")])
async def test_what_the_core_missed_still_brings_a_person(
    talk: Conversation, act: str, reason: str
) -> None:
    (wish,) = (await talk.say("……", act)).replies
    assert isinstance(wish, Handoff)
    assert wish.reason == reason
    assert wish.urgency == ("danger" if act == "danger" else "normal")


async def test_praise_is_noted(talk: Conversation, city: City) -> None:
    outcome = await talk.say("送水的师傅帮老人把水扛上六楼", "praise")
    (draft,) = talk.orders.drafts.values()
    assert (draft.kind, draft.key) == ("表扬", "praise:c1:h1")
    assert told(outcome) == city.prompts.praise
    assert outcome.understood.order


async def test_thanks_alone_make_no_order(talk: Conversation) -> None:
    await talk.say("真好", "praise")
    await talk.say("送水的师傅帮老人把水扛上六楼", "praise", 0.3)
    assert talk.orders.drafts == {}


async def test_small_talk(talk: Conversation, city: City) -> None:
    prompts = city.prompts
    assert told(await talk.say("再说一遍", "repeat")) == prompts.repeat_nothing
    assert told(await talk.say("喂", "greet")) == prompts.greet
    assert told(await talk.say("再说一遍", "repeat")) == prompts.greet
    assert told(await talk.say("慢点", "slower")) == f"{prompts.slower}\n{prompts.greet}"
    assert told(await talk.say("办到哪了", "status")) == prompts.status
    assert told(await talk.say("几点了", "other")) == prompts.other
    bye = await talk.say("再见", "bye")
    assert told(bye) == prompts.bye
    assert isinstance(bye.replies[-1], Bye)


async def test_no_after_anything_else_says_goodbye(talk: Conversation, city: City) -> None:
    await talk.say("算了", "cancel")
    assert told(await talk.say("有的", "affirm")) == city.prompts.silence
    await talk.say("算了", "cancel")
    assert isinstance((await talk.say("没有", "deny")).replies[-1], Bye)


async def test_a_doubtful_complaint_put_as_a_question_is_answered(talk: Conversation) -> None:
    outcome = await talk.say("租房提取公积金要什么材料", "complaint", 0.4)
    assert outcome.understood.decision == "answer"
    assert not talk.active
    assert (await talk.say("租房提取公积金的窗口骂人", "complaint", 0.4)).understood.slots


async def test_stories_count_together(talk: Conversation) -> None:
    body = talk.body("action_turn", "他们把旧轮胎点着了", "other", 0.3)
    body["tracker"]["latest_message"]["intent_ranking"] = [
        {"name": "other", "confidence": 0.3},
        {"name": "report", "confidence": 0.25},
        {"name": "complaint", "confidence": 0.2},
    ]
    turn = read_call(body).turn
    assert (turn.act, round(turn.confidence, 2)) == ("report", 0.45)


async def test_without_knowledge_complaints_and_small_talk_go_on(
    city: City, talk: Conversation
) -> None:
    async def nothing() -> Any:
        raise KnowledgeError

    dialogue = Dialogue(city, nothing, Orders().write)
    greeted = await dialogue.run(read_call(talk.body("action_turn", "你好", "greet")))
    assert greeted.outcome is not None
    body = talk.body("validate_complaint_form", "阳光花园的路灯不亮", "complaint")
    opened = await dialogue.run(read_call(body))
    assert opened.outcome is not None
    assert values(opened.outcome)["where"] == "阳光花园"
    with pytest.raises(KnowledgeError):
        await dialogue.run(read_call(talk.body("action_turn", "怎么提公积金", "policy")))
