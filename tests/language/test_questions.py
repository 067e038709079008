"""What a turn asks, and how many questions it holds."""

from __future__ import annotations

import pytest

from language.questions import (
    asks,
    asks_plainly,
    asks_to_complain,
    asks_what_to_do,
    bare,
    own_request,
    parts,
    unjoined,
)


@pytest.mark.parametrize(
    "text",
    [
        "拖欠工资去哪投诉", "停暖了能退钱吗", "没签合同得行不", "公积金给不给提", "那买房呢",
        "什么时候来暖气", "可以帮我查下社保卡要什么材料吗", "供热公司电话", "老板拖着工资不给找谁",
        "申请低保去街道还是民政局", "楼上漏水，咋整",
    ],
)  # fmt: skip
def test_a_question_of_a_rule(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "老板欠我三个月工资不给", "我要投诉供热公司，暖气不热", "能来修一下吗", "怎么没人管",
        "路灯坏了好几天了没人修", "停水了什么时候来", "你们能不能派人来看看", "这不是坑人吗",
        "我家暖气十几度，打电话也没人来", "到底谁来管", "啥都没有", "我要投诉", "老人冻得不行",
        "", "，。？",
    ],
)  # fmt: skip
def test_a_demand_or_a_story_asks_for_nothing(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("哦知道了那一个月给多少钱", "一个月给多少钱"),
        ("你们电话多少", "电话多少"),
        ("好谢谢啊那要去哪办", "要去哪办"),
        ("我耳朵不好我想问一下高龄老人办什么卡", "高龄老人办什么卡"),
    ],
)
def test_what_leads_up_to_a_question_is_left_out(text: str, shorter: str) -> None:
    assert shorter in bare(text)


def test_two_questions_said_without_a_pause() -> None:
    said = "社保卡丢了怎么补办顺便问一下公积金租房怎么提"
    assert parts(said) == ("社保卡丢了怎么补办", "顺便问一下公积金租房怎么提")


def test_a_bare_question_stays() -> None:
    assert bare("行程卡怎么办") == bare("好多人排队吗") == bare("") == ()


def test_whom_a_question_is_about() -> None:
    assert asks_plainly("那要多少钱")
    assert not asks_plainly("可以挂了吗")
    assert asks_to_complain("暖气不热怎么投诉")
    assert not asks_to_complain("我要投诉供热公司")
    assert own_request("我上周反映的事怎么样了")
    assert not own_request("进度怎么查")


def test_what_to_do_is_a_question_of_its_own_kind() -> None:
    assert asks_what_to_do("楼上天天漏水，物业不管，我该怎么办啊？")
    assert not asks_what_to_do("社保卡丢了怎么办，补卡要钱吗")
    assert not asks_what_to_do("楼上天天漏水")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("要啥材料、去哪办", ("要啥材料、", "去哪办")),
        ("社保卡怎么补办，顺便问一下租房怎么提公积金",
         ("社保卡怎么补办，", "顺便问一下租房怎么提公积金")),
        ("我是外地户口，能办吗？要带啥材料", ("我是外地户口，能办吗？", "要带啥材料")),
        ("我去年来的，现在租房住，公积金能提吗", ("我去年来的，现在租房住，公积金能提吗",)),
        ("提公积金要啥，几天到账，这样可以吗", ("提公积金要啥，", "几天到账，这样可以吗")),
        ("公积金能贷款吗，我上个月辞职了", ("公积金能贷款吗，我上个月辞职了",)),
        ("老板欠我三个月工资不给", ("老板欠我三个月工资不给",)),
        ("", ()),
    ],
)  # fmt: skip
def test_questions_are_parted_and_nothing_is_lost(text: str, expected: tuple[str, ...]) -> None:
    assert parts(text) == expected
    assert "".join(parts(text)) == text


def test_words_that_only_join_are_left_out() -> None:
    assert unjoined("还有就是怎么报名，") == "怎么报名"
    assert unjoined("去哪办") == "去哪办"
