"""Turns that plainly hand in a complaint, and those that do not."""

from __future__ import annotations

import pytest

from language.telling import hands_in, labelled


@pytest.mark.parametrize(
    "text",
    [
        "地点：阳光花园12号楼，时间：11月15日至今，电话：18500006666",
        "暖气一直不热，家里才十四度，龙泉小区19号楼，联系电话13998765432",
        "我想提个建议，公交3路车能不能晚上多跑几趟",
    ],
)
def test_a_form_a_story_with_a_number_and_a_suggestion_are_handed_in(text: str) -> None:
    assert hands_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "13998765432",
        "我电话13998765432",
        "我13998765432这个号能办老年卡吗，要带什么材料",
        "投诉电话：多少",
    ],
)
def test_a_bare_number_or_a_question_is_not(text: str) -> None:
    assert not hands_in(text)


def test_a_label_names_what_stands_behind_it() -> None:
    assert labelled("事由：漏水；地址：文苑路8号；电话：1", "地点|地址") == "文苑路8号"
    assert labelled("时间：11月18日22:30，地点：桥北", "时间") == "11月18日22:30"
    assert labelled("漏水了", "地点|地址") == ""
