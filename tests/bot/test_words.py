"""The short words that steer a dialogue."""

from __future__ import annotations

import pytest

from bot.actions.words import digits_tried, none_of_them, ordinal, question, unknown, yes_no


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
