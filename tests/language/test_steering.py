"""再说一遍, 慢点, 大声点, 接着说: what steers how we speak, and what only sounds like it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.steering import Steering, steering


@pytest.mark.parametrize(
    "text",
    ["慢点", "慢一点", "慢点说", "你慢点说", "说慢点", "请您说慢一点", "能不能说慢一点",
     "能不能放慢", "太快了", "你说得太快了", "说得太快了跟不上", "慢慢说", "慢慢讲我耳朵背",
     "语速放慢", "调慢语速", "别说那么快", "等一下等一下说慢点", "稍慢些", "慢一些可以不",
     "我年纪大反应慢你说慢点", "我耳朵不好慢点说", "我在写你慢一点", "莫急慢些说",
     "慢点，再说一遍", "一条一条慢慢讲", "慢点慢点我拿纸记", "读慢一点", "我记不下来慢点",
     "恁慢点说俺听不清"],
)  # fmt: skip
def test_slower(text: str) -> None:
    found = steering(text)
    if text == "恁慢点说俺听不清":  # a dialect word for 我: left to the dialogue
        assert found is None
    else:
        assert found == Steering(("slower",), "sentence")


@pytest.mark.parametrize(
    "text",
    ["大声点", "大声一点", "大点声", "声音大一点", "声音太小了", "你声音太小了",
     "听不清，大声点", "听不清楚大声一点", "听不见你大点声", "请大声一点说", "音量调大一点",
     "能不能大声点", "我耳朵背，大声点", "声音大点再说一次", "麻烦你大点声"],
)  # fmt: skip
def test_louder(text: str) -> None:
    assert steering(text) == Steering(("louder",), "sentence")


@pytest.mark.parametrize("text", ["小声点", "声音小一点", "声音太大了", "太大声了", "轻一点"])
def test_softer(text: str) -> None:
    assert steering(text) == Steering(("softer",), "sentence")


@pytest.mark.parametrize("text", ["快点说", "说快一点", "语速快一点", "太慢了", "你说得太慢了"])
def test_faster(text: str) -> None:
    assert steering(text) == Steering(("faster",), "sentence")


@pytest.mark.parametrize("text", ["慢点说，大声点", "大声一点，慢一点", "大点声慢点说"])
def test_both(text: str) -> None:
    found = steering(text)
    assert found is not None
    assert set(found.steps) == {"slower", "louder"}


@pytest.mark.parametrize(
    "text",
    ["再说一遍", "你再说一遍", "请再说一次", "麻烦再说一遍", "能再说一遍吗", "再讲一遍",
     "重复一遍", "重新说", "从头说一遍", "没听清", "没听清楚，再说一遍", "听不清", "听不见",
     "没听见", "你说什么", "你刚才说什么", "刚才没听清", "我没听清你再说一下",
     "信号不好再说一遍", "再来一遍", "再说说"],
)  # fmt: skip
def test_once_more(text: str) -> None:
    assert steering(text) == Steering()


@pytest.mark.parametrize(
    "text", ["继续", "接着说", "你继续说", "往下说", "好，继续", "接着讲吧", "你说吧", "说下去"]
)
def test_going_on(text: str) -> None:
    assert steering(text) == Steering((), "place")


@pytest.mark.parametrize(
    "text",
    ["", "，。", "公积金怎么提取", "公交车太慢了怎么投诉", "楼下声音太大了影响睡觉",
     "邻居装修声音太大了", "办事太慢了", "网速太慢了", "你们办事慢", "暖气不热", "快一点办",
     "慢性病报销", "再说我也不信", "继续教育怎么报名", "我要继续投诉", "接着昨天的说",
     "大声喧哗扰民", "快递太慢了", "重复收费", "什么", "要带什么", "第二个是什么",
     "一条一条街道", "再来一次电话", "转人工", "好的", "听听", "太吵了楼上", "小声点他们不听",
     "重新办理身份证", "说明材料", "电话再报一遍"],
)  # fmt: skip
def test_what_steers_nothing(text: str) -> None:
    assert steering(text) is None


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    steering(text)


@pytest.mark.parametrize("piece", ["听", "你", "慢慢", "再", "说", "点", "说慢", "继续"])
def test_no_text_takes_long(piece: str) -> None:
    steering(piece * 12 + "完")
    steering(piece * 500)


@pytest.mark.parametrize(
    "text",
    ["等一下", "等等", "稍等一下", "停", "停一下", "先别说", "你等一下我拿支笔", "等我拿个笔",
     "好的你等一下", "等下我找一下身份证", "等一等哈", "别说了", "让我想想", "您稍等我去接个电话"],
)  # fmt: skip
def test_wait(text: str) -> None:
    assert steering(text) == Steering(pause=True)


@pytest.mark.parametrize(
    "text",
    ["等一下公交车来吗", "停水了", "停电", "停车", "停一下车可以吗", "不急"],
)
def test_what_only_sounds_like_waiting(text: str) -> None:
    assert steering(text) is None


def test_nothing_that_is_said_keeps_the_rules_busy() -> None:
    began = time.process_time()
    for syllable in ("好", "等", "你", "停", "慢", "说", "我"):
        steering(syllable * 24)
        steering(syllable * 23 + "车")
    assert time.process_time() - began < 5  # no figure: what runs away takes hours
