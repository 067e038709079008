from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from language.pinyin import (
    find_sound,
    fuzzy,
    fuzzy_syllables,
    ngrams,
    sounds_like,
    syllables,
)


def test_syllables_are_toneless_and_keep_what_is_no_character() -> None:
    assert syllables("公积金，VIP 9号") == ("gong", "ji", "jin", "vip", "9", "hao")
    assert syllables("旅") == ("lv",)
    assert syllables("") == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("公积金", "公鸡金"),
        ("煤气泄漏", "没起泄露"),
        ("湖南", "扶兰"),
        ("四十", "是十"),
        ("牛奶", "流来"),
        ("人民", "仍明"),
        ("船上", "床散"),
        ("回龙观", "飞龙关"),
    ],
)
def test_what_dialects_blur_sounds_the_same(one: str, other: str) -> None:
    assert fuzzy_syllables(one) == fuzzy_syllables(other)


@pytest.mark.parametrize(
    ("one", "other"), [("房子", "航子"), ("黑", "费"), ("大", "他"), ("安", "昂n")]
)
def test_what_nobody_blurs_stays_apart(one: str, other: str) -> None:
    assert fuzzy_syllables(one) != fuzzy_syllables(other)


def test_fuzzy_leaves_the_rest_alone() -> None:
    assert [fuzzy(s) for s in ("ng", "n", "9", "嗯", "e", "zhuang")] == [
        "ng", "n", "9", "嗯", "e", "zuan",
    ]  # fmt: skip


def test_ngrams() -> None:
    assert ngrams(["a", "b", "c"], 1, 2, "-") == ["a", "b", "c", "a-b", "b-c"]
    assert ngrams([], 1, 3) == []


def test_find_sound_gives_the_place_in_the_text() -> None:
    text = "那个，给我赚，人工 谢谢abc"
    place = find_sound(text, fuzzy_syllables("转人工"))
    assert place is not None
    assert text[slice(*place)] == "赚，人工"
    assert find_sound(text, fuzzy_syllables("转窗口")) is None
    assert find_sound("", ("a",)) is None


def test_sounds_like() -> None:
    assert sounds_like("我要提公鸡金", ["社保卡", "公积金"]) == "公积金"
    assert sounds_like("我要办证", ["公积金"]) == ""


@given(st.text(max_size=200))
def test_any_text_has_syllables(text: str) -> None:
    assert len(fuzzy_syllables(text)) == len(syllables(text))
    place = find_sound(text, ("ren", "gon"))
    assert place is None or 0 <= place[0] < place[1] <= len(text)


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=30))
def test_characters_are_read_as_the_library_reads_them(text: str) -> None:
    assert list(syllables(text)) == lazy_pinyin(text)


@pytest.mark.parametrize(
    "text",
    ["银行的行长还在还款", "他着急地重新数了数", "长大的地方了结了", "中国人民银行", "嗯儒兙"],
)
def test_a_character_is_read_by_its_word(text: str) -> None:
    assert list(syllables(text)) == lazy_pinyin(text)


def test_a_letter_that_is_two_in_lower_case_moves_no_place() -> None:
    text = "İİ我要转人公"
    assert find_sound(text, fuzzy_syllables("转人工")) == (4, 7)


def test_a_reading_is_kept_once_and_still_read_by_its_phrase() -> None:
    read = "yin hang hang zhang chong xin zhang da"
    assert " ".join(syllables("银行行长重新长大")) == read
    kept = {id(one) for readings in PHRASES_DICT.values() for one in readings}
    assert len(kept) < 2000
    assert len(PHRASES_DICT) > 40_000
