"""The short words that steer a dialogue."""

from __future__ import annotations

import pytest

from bot.actions.words import (
    digits_tried,
    meant,
    needs_nothing,
    none_of_them,
    opens_only,
    ordinal,
    question,
    thanks,
    unknown,
    wants,
    yes_no,
)


@pytest.mark.parametrize(
    "text", ["对", "对的对的", "嗯是的", "没错", "好的", "行", "嗯，对！", "可以"]
)
def test_yes(text: str) -> None:
    assert yes_no(text) is True


@pytest.mark.parametrize(
    "text", ["不对", "不是，是八号楼", "错了", "没有", "不对不对", "对，但是电话不对", "有问题"]
)
def test_no(text: str) -> None:
    assert yes_no(text) is False


@pytest.mark.parametrize("text", ["建业小区", "行人道坏了", "是八号楼", "", "那要多久"])
def test_neither(text: str) -> None:
    assert yes_no(text) is None


@pytest.mark.parametrize(
    ("text", "count", "place"),
    [
        ("第一个", 3, 0), ("第二个吧", 3, 1), ("2", 3, 1), ("第三个", 2, None), ("后面那个", 2, 1),
        ("前面那个", 2, 0), ("最后一个", 3, 2), ("二十个", 3, None),
        ("租房的", 3, None), ("", 0, None),
    ],
)  # fmt: skip
def test_places(text: str, count: int, place: int | None) -> None:
    assert ordinal(text, count) == place


def test_the_rest() -> None:
    assert none_of_them("都不是")
    assert not none_of_them("是第一个")
    assert unknown("我也不太清楚")
    assert not unknown("阳光花园")
    assert question("那要多久")
    assert not question("阳光花园三号楼")
    assert digits_tried("一三八零零")
    assert not digits_tried("三个")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不对，我问的是买房", "买房"), ("不是租房是买房", "买房"), ("我问的是材料", "材料"),
        ("不是，我说的是新生儿医保", "新生儿医保"), ("是的", ""), ("不对", ""),
        ("我想问一下社保卡", ""), ("社保卡怎么办", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_is_meant_after_a_correction(text: str, expected: str) -> None:
    assert meant(text) == expected


@pytest.mark.parametrize("text", ["要", "嗯", "想听听", "要的要的", "好，说吧", "对", "那就登记吧"])
def test_an_offer_is_taken_up(text: str) -> None:
    assert wants(text)


@pytest.mark.parametrize("text", ["不要", "要带什么材料", "说不清", "", "要投诉他们"])
def test_no_offer_is_taken_up(text: str) -> None:
    assert not wants(text)


def test_words_that_end_or_open_a_talk() -> None:
    assert thanks("好的，谢谢你啊")
    assert not thanks("谢谢，那多久能拿到")
    assert needs_nothing("不用了谢谢")
    assert not needs_nothing("没有房产证能办吗")
    assert opens_only("你好，我想咨询个事")
    assert not opens_only("我想咨询社保卡")
    assert not opens_only("")


@pytest.mark.parametrize("text", ["谢谢" * 500, "好" * 999 + "x", "，请问" * 333, "不是" * 500])
def test_long_rubbish_ends(text: str) -> None:
    for asked in (thanks, wants, needs_nothing, opens_only, meant):
        asked(text)
