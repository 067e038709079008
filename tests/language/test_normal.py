from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.normal import LIMIT, bare, clean, for_matching, without_fillers


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("住房 公积金 怎么 提取", "住房公积金怎么提取"),
        ("电话 １３８ ００１３ ８０００", "电话138 0013 8000"),
        ("ＡＢＣ　大厅", "ABC大厅"),
        ("你好\u200b，世\ufeff界", "你好，世界"),
        ("第一行\n第二行", "第一行，第二行"),
        ("说完了。\r\n\r\n还有", "说完了。还有"),
        ("a\x00b\x07c", "abc"),
        ("坏\ud800的", "坏的"),
        ("many   spaces here", "many spaces here"),
        ("，。！？", "，。！？"),
        ("", ""),
        (" \t\n ", ""),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_clean_keeps_at_most_the_limit() -> None:
    assert len(clean("很长" * 5000)) == LIMIT
    assert len(clean("ﷺ" * 900)) <= LIMIT


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("嗯，我想问公积金", "我想问公积金"),
        ("那个就是说路灯坏了啊", "路灯坏了"),
        ("呃呃停水了呢", "停水了"),
        ("额度是多少", "额度是多少"),
        ("那个人打我", "那个人打我"),
        ("就是这样", "就是这样"),
        ("嗯", "嗯"),
        ("那个", "那个"),
        ("嗯嗯啊", "嗯嗯啊"),
    ],
)
def test_without_fillers(raw: str, expected: str) -> None:
    assert without_fillers(raw) == expected


def test_for_matching_is_bare() -> None:
    assert for_matching("嗯，《公积金》 怎么 提？ABC！") == "公积金怎么提abc"
    assert bare("一、二_三。") == "一二三"


@given(st.text(max_size=400))
def test_any_text_is_cleaned(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LIMIT
    assert clean(cleaned) == cleaned
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Cf") for c in cleaned)
    assert bool(without_fillers(text)) == bool(cleaned)
    for_matching(text)


@given(st.text(alphabet="公积金，。！…￥～“a Z9-_%\t\n\u200b\ufe0fＡ가\u1100\u1161", max_size=40))
def test_the_short_way_changes_nothing(text: str) -> None:
    forced = clean(f"\u200b{text}")  # what nothing is left of, and the short way does not take
    assert clean(text) == forced
    assert clean(text, 7) == clean(f"\u200b{text}", 7)
