from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.sentences import LONGEST, sentences


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


@given(st.text(alphabet="好的a1。！？；，…”\n 　", max_size=200))
def test_nothing_said_is_lost(text: str) -> None:
    words = [character for character in text if character.isalnum()]
    assert [c for part in sentences(text) for c in part if c.isalnum()] == words
