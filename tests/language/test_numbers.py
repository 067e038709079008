from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.numbers import (
    amount,
    group_phone,
    id_number,
    people,
    phone,
    spoken_digits,
    spoken_phone,
)
from language.numerals import digit_string, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("两千三", "2300"),
        ("一百零五", "105"),
        ("一百五", "150"),
        ("一万三", "13000"),
        ("二十万", "200000"),
        ("十", "10"),
        ("十二", "12"),
        ("一百一十", "110"),
        ("三千零五十", "3050"),
        ("一万零三百", "10300"),
        ("一千二百万", "12000000"),
        ("十二亿三千万", "1230000000"),
        ("三点五", "3.5"),
        ("3万5", "35000"),
        ("1.3万", "13000"),
        ("1,500", "1500"),
        ("12,345.60", "12345.60"),
        ("零", "0"),
        ("两万八", "28000"),
        ("二零二五", "2025"),
        ("幺三八", "138"),
        ("五百零六", "506"),
        ("三点五万", "35000"),
    ],
)
def test_value(text: str, expected: str) -> None:
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "两三千", "百五", "千", "abc", "一百十", "3点", "1,2", "三" * 40]
)
def test_no_number(text: str) -> None:
    assert value(text) is None


def test_digit_string() -> None:
    assert digit_string("幺三8") == "138"
    assert digit_string("十八") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我手机是幺五九，二二零零，三三四四", "15922003344"),
        ("要五九二二零零三三四四", "15922003344"),
        ("你记一下一八六 嗯 七七八八 呃 九九零零", "18677889900"),
        ("177-1234-5678", "17712345678"),
        ("+86 177 1234 5678", "17712345678"),
        ("我要一七七一二三四五六七八这个号", "17712345678"),
        ("幺八六四个零三三二二", "18600003322"),
        ("零二二 杠 六六五五四四三三", "02266554433"),
        ("0475-8231234找老李", "04758231234"),
        ("一八六零零零零三三二二，不对，是一八六零零零零三三二三", "18600003323"),
        ("15922003344 不对 后面是3345", "15922003345"),
        ("幺五九二二零零三三四四不对是幺五八二二零零三三四四", "15822003344"),
        ("三号楼，15922003344，二单元", "15922003344"),
        ("15922003344三号楼", "15922003344"),
        ("打15922003344，别打13711112222", "15922003344"),
    ],
)
def test_phone(text: str, expected: str) -> None:
    assert phone(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "一五九二二零零三三四",
        "12922003344",
        "九号楼三单元三零二",
        "150203199001011234",
        "收了我一千八百块",
        "今天十一点",
        "4001234567",
        "159220033445566778899",
    ],
)
def test_no_phone(text: str) -> None:
    assert phone(text) is None


def test_phone_groups() -> None:
    assert group_phone("13800138000") == "138-0013-8000"
    assert group_phone("01066554433") == "010-6655-4433"
    assert group_phone("04758231234") == "0475-823-1234"
    assert group_phone("4001234567") == "400-123-4567"
    assert group_phone("12345") == "12345"
    assert spoken_phone("13800138000") == "幺三八，零零幺三，八零零零"
    assert spoken_digits("A01") == "A零幺"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("身份证11010519491231002X", "11010519491231002X"),
        ("幺幺零幺零五，一九四九幺二三幺，零零二叉", "11010519491231002X"),
        ("110105 19491231 002x", "11010519491231002X"),
        ("110105194912310021", None),
        ("11010519491331002X", None),
        ("110105", None),
        ("", None),
    ],
)
def test_id_number(text: str, expected: str | None) -> None:
    assert id_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("老板差我一万三千块钱", "13000"),
        ("停车收了十五块", "15"),
        ("一斤涨到三块五", "3.5"),
        ("拖欠工资两万八", "28000"),
        ("押金1200元没退", "1200"),
        ("罚了我二百", "200"),
        ("￥3,600.50", "3600.5"),
        ("每月四千，欠了三个月，一共一万二", "12000"),
        ("三千块，不对，是三千五百块", "3500"),
        ("不是八百是一千八", "1800"),
        ("两块半", "2.5"),
        ("三块五毛六", "3.56"),
        ("五毛钱", "0.5"),
        ("0.8万元", "8000"),
        ("大概六千吧", "6000"),
        ("二十万", "200000"),
        ("一百零五块", "105"),
        ("一百五十块", "150"),
        ("三千多块", "3000"),
        ("两三百块", "200"),
        ("三四千块钱的取暖费", "3000"),
        ("少了二百四十多块", "240"),
        ("理发店充值一千，用了三百，剩下七百不退", "700"),
        ("一个月五千，老板欠我一万五", "15000"),
        ("一个月五千，欠了三个月", "5000"),
        ("买的车位十二万八", "128000"),
        ("三块五一度电", "3.5"),
    ],
)
def test_amount(text: str, expected: str) -> None:
    assert amount(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    ["", "好几千块", "好几万块钱", "几百块", "塌了一块", "三个人", "第三块地", "路灯坏了", "欠薪"],
)
def test_no_amount(text: str) -> None:
    assert amount(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三个人", 3),
        ("我们俩都没拿到", 2),
        ("一家四口", 4),
        ("二十三个工人", 23),
        ("12名员工", 12),
        ("一共六个", 6),
        ("一百零五人", 105),
        ("不是三个人，是四个人", 4),
        ("咱们仨", 3),
        ("我们十几个人", None),
        ("二十多个人", 20),
        ("第三个人", None),
        ("两三个人", None),
        ("工友十二个", 12),
        ("家长四十来个，一人交了六千", 40),
        ("有人在闹", None),
        ("找一个人工客服", None),
        ("", None),
    ],
)
def test_people(text: str, expected: int | None) -> None:
    assert people(text) == expected


DIGITS = st.text(
    alphabet="零一二三四五六七八九十百千万亿幺要两点半块元毛不对是，0123456789 Xx个人", max_size=200
)


@given(st.text(max_size=200) | DIGITS)
def test_any_text_is_read(text: str) -> None:
    number = phone(text)
    assert number is None or (number.isdigit() and 10 <= len(number) <= 12)
    assert len(id_number(text) or "0" * 18) == 18
    assert (amount(text) or Decimal(0)) >= 0
    assert (people(text) or 1) > 0
    value(text)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_number_read_back_is_understood(number: str) -> None:
    assert phone(spoken_phone(number)) == number
    assert phone(group_phone(number)) == number


@pytest.mark.parametrize("sign", ["一", "1", "万", "1，", "块", "幺 ", "个"])
def test_long_texts_end(sign: str) -> None:
    text = (sign * 5000)[:5000]
    for read in (phone, id_number, amount, people):
        read(text)
