from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.sentences import LONGEST, pause_after, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("。。", []),
        ("您好", ["您好"]),
        ("您好。请讲！", ["您好。", "请讲！"]),
        ("他说：“可以。”然后呢？", ["他说：“可以。”", "然后呢？"]),
        ("费用3.5元；免费", ["费用3.5元；", "免费"]),
        ("第一行\n第二行", ["第一行", "第二行"]),
        ("稍等……好的。", ["稍等……", "好的。"]),
        ("请说“转人工！快。”就行。", ["请说“转人工！快。”", "就行。"]),
        ("带证件（原件；复印件。都行）去办。", ["带证件（原件；复印件。都行）去办。"]),
        ("他说“可以。", ["他说“可以。"]),
        ("他说“可以。好的", ["他说“可以。", "好的"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_sentence_is_cut_at_commas() -> None:
    clause = "携带本人身份证和经过备案的房屋租赁合同，"
    parts = sentences(clause * 8)
    assert len(parts) > 1
    assert all(len(part) <= LONGEST for part in parts)
    assert "".join(parts) == clause * 8


def test_no_cut_inside_a_number_or_a_quotation() -> None:
    text = (
        "窗口上午9:00到12:00、下午14:30到17:30办理，缴存基数最高25,000元、最低2,060元，"
        "打开“示例办，我的，公积金，提取”就能办"
    )
    parts = sentences(text)
    assert "".join(parts) == text
    assert len(parts) >= 3
    for whole in ("14:30", "25,000", "2,060", "“示例办，我的，公积金，提取”"):
        assert any(whole in part for part in parts)


@pytest.mark.parametrize(
    ("part", "rest"),
    [("好的。", 0.35), ("好的，", 0.15), ("“好的。”", 0.35), ("好", 0.35), ("", 0.35)],
)
def test_a_rest_after_a_part(part: str, rest: float) -> None:
    assert pause_after(part) == rest


@given(st.text(alphabet="好的a1。！？；，…”\n 　", max_size=200))
def test_nothing_said_is_lost(text: str) -> None:
    words = [character for character in text if character.isalnum()]
    assert [c for part in sentences(text) for c in part if c.isalnum()] == words
