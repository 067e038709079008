from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.pronunciation import READINGS, numbered_pinyin


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("了解", "liao3 jie3"),
        ("异地还款", "yi4 di4 huan2 kuan3"),
        ("重复", "chong2 fu4"),
        ("重要", "zhong4 yao4"),
        ("银行行长", "yin2 hang2 hang2 zhang3"),
        ("多长时间", "duo1 chang2 shi2 jian1"),
        ("一百", "yi4 bai3"),
        ("一万", "yi2 wan4"),
        ("一个", "yi2 ge4"),
        ("第一", "di4 yi1"),
        ("一月一日", "yi1 yue4 yi1 ri4"),
        ("一三八", "yi1 san1 ba1"),
        ("百分之一", "bai3 fen1 zhi1 yi1"),
        ("周一到周五", "zhou1 yi1 dao4 zhou1 wu3"),
        ("不动产", "bu2 dong4 chan3"),
        ("不行", "bu4 xing2"),
        ("英雄", "ying1 xong2"),
        ("您好，这里是前门。", "nin2 hao3, zhe4 li3 shi4 qian2 men2."),
        ("A4纸", "A 4 zhi3"),
        ("拨12345", "bo1 12345"),
    ],
)
def test_readings(text: str, pinyin: str) -> None:
    assert numbered_pinyin(text) == pinyin


@pytest.mark.parametrize("word", READINGS)
def test_every_correction_is_used_and_has_a_syllable_a_character(word: str) -> None:
    assert len(READINGS[word].split()) == len(word)
    assert READINGS[word] in numbered_pinyin(f"请问{word}。")


@given(st.text(max_size=60))
def test_any_text_has_a_reading(text: str) -> None:
    assert "\n" not in numbered_pinyin(text)
