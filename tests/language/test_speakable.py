from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.counting import number_words, year_digits
from language.speakable import speakable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请拨打12345", "请拨打幺二三四五"),
        ("联系电话13800138000。", "联系电话幺三八，零零幺三，八零零零。"),
        ("座机0475-8231234", "座机零四七五，八二三，幺二三四"),
        ("12333、12329热线", "幺二三三三、幺二三二九热线"),
        ("遇险拨打110或119", "遇险拨打幺幺零或幺幺九"),
        ("110元", "一百一十元"),
        ("12345元", "一万两千三百四十五元"),
        ("国务院令第350号", "国务院令第三百五十号"),
        ("国办发〔2020〕53号", "国办发二零二零年五十三号"),
        ("2025年12月1日起施行", "二零二五年十二月一日起施行"),
        ("2025-12-01", "二零二五年十二月一日"),
        ("2024-2025年度", "二零二四到二零二五年度"),
        ("1,500元", "一千五百元"),
        ("¥1,500.00", "一千五百元"),
        ("2元", "两元"),
        ("20万元", "二十万元"),
        ("3-5个工作日", "三到五个工作日"),
        ("2~3天", "两到三天"),
        ("首付20%—30%", "首付百分之二十到百分之三十"),
        ("5-12%", "百分之五到百分之十二"),
        ("0.5%", "百分之零点五"),
        ("上午8:30-11:30", "上午八点半到十一点半"),
        ("9:05开门", "九点零五分开门"),
        ("第3条第2款", "第三条第二款"),
        ("2个月", "两个月"),
        ("12个月", "十二个月"),
        ("请登录官网（https://www.abc.gov.cn/x?a=1）办理", "请登录官方网站办理"),
        ("（一）身份证；（二）户口本", "第一，身份证；第二，户口本"),
        ("1. 身份证\n2. 户口本", "第一，身份证。第二，户口本"),
        ("- 身份证\n- 户口本", "身份证。户口本"),
        ("身份证/户口本", "身份证或户口本"),
        ("60㎡以下", "六十平方米以下"),
        ("2元/平方米", "两元每平方米"),
        ("9号楼3单元302室", "九号楼三单元三零二室"),
        ("《住房公积金管理条例》第二十四条", "住房公积金管理条例第二十四条"),
        ("**重要**：请带齐——缺一不可……", "重要：请带齐，缺一不可"),
        ("零下气温-5℃", "零下气温零下五摄氏度"),
        ("占1/3", "占三分之一"),
        ("7×24小时", "七乘二十四小时"),
        ("工单QM202603180012", "工单QM二零二六零三幺八零零幺二"),
        ("３个工作日（含当日）办结", "三个工作日，含当日，办结"),
        ("GB/T 33358-2016", "国标三三三五八，二零一六年"),
        ("您排在第2位", "您排在第二位"),
        ("", ""),
        ("😀", ""),
        ("您好，请讲。", "您好，请讲。"),
    ],
)
def test_speakable(text: str, expected: str) -> None:
    assert speakable(text) == expected


SPOKEN = Path(__file__).with_name("spoken.tsv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", SPOKEN)
def test_as_a_person_reads_it(line: str) -> None:
    """Notations of the sample city's published answers, and their likes; each was read through."""
    written, spoken = line.split("\t")
    assert speakable(written) == spoken
    assert speakable(spoken) == spoken  # made speakable twice, it stays


def test_no_case_stands_twice() -> None:
    assert len({line.split("\t")[0] for line in SPOKEN}) == len(SPOKEN) >= 150


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("2300", "两千三百"),
        ("100010", "十万零一十"),
        ("0", "零"),
        ("007", "零零七"),
        ("1.50", "一点五"),
        ("12000", "一万两千"),
        ("222222", "二十二万两千二百二十二"),
        ("9" * 17, "九" * 17),
    ],
)
def test_number_words(number: str, expected: str) -> None:
    assert number_words(number) == expected


def test_two_before_a_measure() -> None:
    assert number_words("2", measure=True) == "两"
    assert year_digits("2021") == "二零二一"


@settings(deadline=None)
@given(
    st.text(max_size=200)
    | st.text(alphabet="0123456789-~:：.,年月日元%第号（）()/ 个至\n1.", max_size=80)
)
def test_no_digit_and_no_mark_is_left_for_the_ear(text: str) -> None:
    spoken = speakable(text)
    assert not re.search(r"[0-9%￥¥（）()《》\[\]【】#*]", spoken)


@pytest.mark.parametrize(
    "sign", ["1", " ", "，", "\n", "(", "1-", "a@", "https://a", "1,", "第1", "- ", "."]
)
def test_long_texts_end(sign: str) -> None:
    speakable((sign * 5000)[:5000])
