"""Act against knowledge: each rule with what it must not catch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from bot.actions.arbitration import seconded, way
from bot.actions.calls import OPENS_FORM, Turn
from knowledge.search import Found
from turns.context import Context
from turns.understood import Candidate


def turn(text: str, act: Any, confidence: float = 0.9, telling: float | None = None) -> Turn:
    told = (confidence if act in OPENS_FORM else 0.0) if telling is None else telling
    at = datetime(2026, 11, 20, 4, tzinfo=UTC)
    return Turn("c1", "h1", text, at, act, confidence, telling=told)


def found(
    decision: Literal["answer", "ask", "miss"], score: float = 0.95, matter: str = "labour.wage"
) -> Found:
    matter = "" if decision == "miss" else matter
    return Found(decision, (Candidate(matter, "地点", score),), None, Context(matter=matter))


ANSWER, DOUBTFUL, ASK, MISS = (
    found("answer"),
    found("answer", 0.6),
    found("ask", 0.4),
    found("miss"),
)
VAGUE = found("ask", 0.3, "")


@pytest.mark.parametrize(
    ("text", "act", "confidence", "what", "expected"),
    [
        # a question that something published answers is answered, however sure the complaint
        ("拖欠工资去哪投诉", "complaint", 0.99, ANSWER, "search"),
        ("老板拖着工资不给找谁", "complaint", 0.87, ASK, "search"),
        ("小区电梯三天两头坏找谁", "complaint", 0.9, MISS, "form"),
        ("墙皮掉了该找谁", "help", 0.9, VAGUE, "form"),
        # a story without a question opens the form, though it names a matter
        ("老板欠我三个月工资不给", "complaint", 0.9, ASK, "form"),
        ("老板欠我三个月工资不给", "complaint", 0.9, ANSWER, "form"),
        ("我要投诉供热公司，暖气不热", "complaint", 0.99, ANSWER, "form"),
        ("我要投诉", "complaint", 0.99, MISS, "form"),
        ("租房提取公积金的材料清单", "help", 0.45, ANSWER, "search"),
        # 怎么办 alone is a question only where the answer is clear or the story doubtful
        ("楼上漏水怎么办", "complaint", 0.9, DOUBTFUL, "form"),
        ("买到假货怎么办", "complaint", 0.7, ANSWER, "search"),
        # demands are no questions
        ("路灯坏了，能不能派人来修一下", "help", 0.9, DOUBTFUL, "form"),
        # small talk that hides a question
        ("你好，社保卡怎么补办", "greet", 0.95, ANSWER, "search"),
        ("你好，有人吗", "greet", 0.95, MISS, "act"),
        ("谢谢，那多久能拿到", "praise", 0.5, ANSWER, "search"),
        ("好的", "affirm", 0.95, ANSWER, "act"),
        ("你再说一遍要带啥", "repeat", 0.9, ANSWER, "act"),
        ("那都拿点啥", "repeat", 0.45, ANSWER, "search"),
        # one's own request is no new complaint, and no policy unless that is clear
        ("我上周反映的事咋样了", "status", 0.9, MISS, "act"),
        ("我的欠薪投诉办到哪一步了", "status", 0.9, ANSWER, "search"),
        ("我上周反映的路灯修了吗", "status", 0.9, DOUBTFUL, "act"),
        # a person and danger
        ("给我转人工", "handoff", 0.5, ANSWER, "act"),
        ("煤气费怎么交", "danger", 0.45, ANSWER, "search"),
        ("煤气漏了怎么办", "danger", 0.8, ANSWER, "act"),
        ("怎么考公务员", "handoff", 0.55, MISS, "search"),
        # rubbish is no story
        ("嘟嘟嘟嘟咕噜", "complaint", 0.38, MISS, "search"),
        # guesses are looked up
        ("嗯哪这个", "praise", 0.2, MISS, "search"),
    ],
)  # fmt: skip
def test_way(text: str, act: str, confidence: float, what: Found, expected: str) -> None:
    assert way(turn(text, act, confidence), what, what) == expected


def test_a_story_that_is_nearly_policy_is_taken_down() -> None:
    told = turn("老板欠我三个月工资不给", "policy", 0.55, telling=0.42)
    assert way(told, ASK, ASK) == "form"
    assert way(told, ANSWER, ANSWER) == "search"
    asked = turn("老板欠我工资能告吗", "policy", 0.55, telling=0.42)
    assert way(asked, ASK, ASK) == "search"


@pytest.mark.parametrize(
    ("text", "act", "confidence", "expected"),
    [
        ("进度怎么查", "status", 0.89, "search"),
        ("谢谢那需要带啥", "bye", 0.95, "search"),
        ("不是我问多久", "deny", 0.99, "search"),
        ("我上周反映的事怎么样了", "status", 0.9, "act"),
        ("好的没别的事了", "bye", 0.95, "act"),
        ("可以挂了吗", "bye", 0.95, "act"),
    ],
)
def test_a_talk_goes_on_behind_thanks(
    text: str, act: str, confidence: float, expected: str
) -> None:
    said = replace(turn(text, act, confidence), context=Context(matter="labour.wage"))
    assert way(said, ANSWER, MISS) == expected


def test_sure_small_talk_is_no_follow_up() -> None:
    """有人吗 in a talk about a matter would carry that on; alone it names none."""
    assert way(turn("有人吗", "greet", 0.95), ANSWER, MISS) == "act"
    assert way(turn("多久呢", "greet", 0.5), ANSWER, MISS) == "search"


@pytest.mark.parametrize(
    ("text", "act", "telling"),
    [
        ("转人工", "handoff", 0.0),
        ("麻烦找位老师傅接一下", "handoff", 0.0),
        ("人工湖几点关门", "other", 0.0),
        ("领导不管我们村的路", "other", 0.5),
    ],
)
def test_a_wish_for_a_person_needs_a_second_opinion(text: str, act: str, telling: float) -> None:
    heard = seconded(turn(text, "handoff", 0.8, telling=telling / 5))
    assert heard.act == act
    assert heard.telling == pytest.approx(telling)


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("对门家里煤气漏得厉害", "danger"),
        ("广场舞太吵了睡不着", "other"),
        ("公交卡怎么退", "other"),
    ],
)
def test_danger_needs_a_second_opinion(text: str, act: str) -> None:
    assert seconded(turn(text, "danger", 0.8)).act == act


def test_other_acts_need_no_second_opinion() -> None:
    told = turn("人工湖几点关门", "policy")
    assert seconded(told) is told


def test_thanks_before_another_case_end_no_talk() -> None:
    talk = Context(matter="labour.wage", aspect="费用")
    one = replace(turn("好的谢谢，那临时的呢", "bye", 0.9), context=talk)
    assert way(one, ANSWER, MISS) == "search"
    assert way(replace(one, text="好的谢谢，麻烦你了呢"), ANSWER, MISS) == "act"
