"""Text and speech of an answer: what warns, and what must not."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.agreeing import disagreements, unwritten
from knowledge.editing import Wording


def wording(text: str, speech: str) -> Wording:
    return Wording(text, speech, "某办法", "第一条", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "speech", "found"),
    [
        ("每月最高提1500元。", "每月最多提一千二。", ("一千二",)),
        ("5个工作日内办完。", "三个工作日内办完。", ("三",)),
        ("满3年。", "满两年就行。", ("两",)),
        ("按20%交。", "按百分之十五交。", ("十五",)),
        ("打12329。", "打幺二三三三。", ("幺二三三三",)),
        ("上午9:00至12:00。", "上午八点到十二点。", ("八",)),
    ],
)
def test_a_spoken_number_that_the_text_does_not_have(
    text: str, speech: str, found: tuple[str, ...]
) -> None:
    assert unwritten(text, speech) == found


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("每月最高提1500元。", "每月最多提一千五。"),
        ("最高贷80万元，最低1.3万元。", "最高八十万，最低一万三。"),
        ("按20%交，其中8%进个人账户。", "按百分之二十交，百分之八进个人账户。"),
        ("下午13:30至17:00，周一至周五。", "下午一点半到五点，周一到周五。"),
        ("打0793-8123456或者12329。", "打零七九三，八一二三四五六，或者幺二三二九。"),
        ("夫妻都可以提。", "两口子都能提，千万别忘了身份证，十分方便，打幺二三四五问。"),
        ("2026年1月1日起，3个月内。", "二零二六年一月一日起，三个月内。"),
        ("先到窗口办。", ""),
        ("", "，。…"),
        ("满3年。", "点点两点"),
    ],
)  # fmt: skip
def test_the_same_said_otherwise_is_no_warning(text: str, speech: str) -> None:
    assert unwritten(text, speech) == ()


def test_a_changed_text_with_the_old_words_for_the_telephone() -> None:
    old = wording("带身份证。", "带上身份证。")
    new = wording("带身份证和合同。", "带上身份证。")
    assert [fault.code for fault in disagreements(new, old)] == ["speech_left"]
    assert disagreements(wording("带身份证和合同。", "带上证和合同。"), old) == ()
    assert disagreements(wording(" 带身份证。", "带上身份证。"), old) == ()
    assert disagreements(new, None) == ()


def test_nothing_is_said_of_an_answer_that_is_read_out() -> None:
    assert disagreements(wording("满5年。", " "), wording("满3年。", "")) == ()


def test_the_message_names_the_numbers() -> None:
    (fault,) = disagreements(wording("每月1500元。", "每月一千二。"), None)
    assert (fault.field, fault.code) == ("speech", "figures_differ")
    assert "“一千二”" in fault.message
