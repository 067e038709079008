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
        ("以公告为准", "yi3 gong1 gao4 wei2 zhun3"),
        ("视为撤回", "shi4 wei2 che4 hui2"),
        ("认定为工伤", "ren4 ding4 wei2 gong1 shang1"),
        ("押金为三个月", "ya1 jin1 wei2 san1 ge4 yue4"),
        ("马上为您转接", "ma3 shang4 wei4 nin2 zhuan3 jie1"),
        ("因为搬家", "yin1 wei4 ban1 jia1"),
        ("交得越多", "jiao1 de5 yue4 duo1"),
        ("取得房屋", "qu3 de2 fang2 wu1"),
        ("您得先登录", "nin2 dei3 xian1 deng1 lu4"),
        ("慢慢地说", "man4 man4 de5 shuo1"),
        ("当地", "dang1 di4"),
        ("条件的当场发证", "tiao2 jian4 de5 dang1 chang3 fa1 zheng4"),
        ("实际还的本金", "shi2 ji4 huan2 de5 ben3 jin1"),
        ("还有别的事吗", "hai2 you3 bie2 de5 shi4 ma5"),
        ("一次性给付", "yi2 ci4 xing4 ji3 fu4"),
        ("缴存和补缴", "jiao3 cun2 he2 bu3 jiao3"),
        ("学校校长", "xue2 xiao4 xiao4 zhang3"),
        ("出差的差额", "chu1 chai1 de5 cha1 e2"),
        ("调解和调动", "tiao2 jie3 he2 diao4 dong4"),
        ("参差", "cen1 ci1"),
        ("供热和安全", "gong1 re4 he2 an1 quan2"),
        ("全国都一样", "quan2 guo2 dou1 yi2 yang4"),
        ("二〇二六年", "er4 ling2 er4 liu4 nian2"),
        ("六安和蔚县", "lu4 an1 he2 yu4 xian4"),
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


def test_a_city_s_own_readings_go_first() -> None:
    assert numbered_pinyin("去六安") == "qu4 lu4 an1"
    assert numbered_pinyin("去六安", [("六安", "liu4 an1")]) == "qu4 liu4 an1"
