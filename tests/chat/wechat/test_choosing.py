"""Options chosen by their number."""

from __future__ import annotations

import pytest

from chat.wechat.choosing import picked
from turns.replies import Option

FOUR = tuple(Option(name, name) for name in "甲乙丙丁")
TEN = tuple(Option(str(n), str(n)) for n in range(1, 11))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", "甲"), ("１", "甲"), ("1.", "甲"), ("1、", "甲"), (" 2 ", "乙"), ("一", "甲"),
        ("第一个", "甲"), ("第1个", "甲"), ("第三项吧", "丙"), ("选2", "乙"), ("我要第四个", "丁"),
        ("两", "乙"), ("最后一个", "丁"), ("前面那个", "甲"), ("后面那个", "丁"),
    ],
)  # fmt: skip
def test_a_number_means_an_option(text: str, wanted: str) -> None:
    option = picked(text, FOUR)
    assert option is not None
    assert option.value == wanted


@pytest.mark.parametrize(
    "text",
    ["5", "0", "十", "13912345678", "一万三千块", "1号楼", "第一中学旁边", "一个人也没有来过",
     "对", "", "……", "12345", "2025年", "1栋2单元", "110"],
)  # fmt: skip
def test_other_words_mean_what_they_say(text: str) -> None:
    assert picked(text, FOUR) is None


def test_there_are_ten_at_most_and_sometimes_none() -> None:
    for text in ("10", "十", "第十个"):
        option = picked(text, TEN)
        assert option is not None
        assert option.value == "10"
    assert picked("1", ()) is None


def test_an_options_own_words_mean_it() -> None:
    options = (Option("确认提交", "是"), Option("有地方不对", "不是"))
    for text, wanted in (("确认提交", "是"), (" 有地方不对。", "不是")):
        option = picked(text, options)
        assert option is not None
        assert option.value == wanted
    assert picked("确认提交以后呢", options) is None
    assert picked("。", (Option("！", "!"),)) is None
