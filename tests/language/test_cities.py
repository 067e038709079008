"""Another city's rules are told from what only comes from another city."""

from __future__ import annotations

import pytest

from language.cities import other_city


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("北京的社保卡怎么办", "北京"), ("请问上海公积金租房提取要什么材料", "上海"),
        ("我想问下深圳那边居住证咋办", "深圳"), ("那广州呢", "广州"),
        ("南京的结婚登记要带啥", "南京"),
        ("杭州市的公租房申请条件", "杭州"),
    ],
)  # fmt: skip
def test_another_citys_rule(text: str, name: str) -> None:
    assert other_city(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "异地就医去北京看病怎么备案", "户口从外地迁来要啥材料", "北京户口能在这办护照吗",
        "在北京买房能提公积金吗", "北京路的路灯坏了", "我在北京工作，公积金怎么转回来",
        "上海的公积金怎么转过来", "社保卡怎么办", "香港签注一次多少钱", "",
    ],
)  # fmt: skip
def test_what_moves_between_places_is_ours(text: str) -> None:
    assert other_city(text) == ""


def test_the_own_city_is_no_other() -> None:
    assert other_city("漳州的社保卡怎么办", ("漳州",)) == ""
