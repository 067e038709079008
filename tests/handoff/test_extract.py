"""Fields of an order found in what citizens say."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.city import City, Department
from handoff.extract import department_for, extract, extract_all
from handoff.kinds import kind_of
from handoff.where import amended_place
from tests.conftest import NOON


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("what", "我要反映个问题阳光花园的电梯坏了", "阳光花园的电梯坏了"),
        ("what", "喂你好，我想投诉一下，隔壁饭店往河里倒泔水", "隔壁饭店往河里倒泔水"),
        ("what", "我要投诉", None),
        ("what", "反映个情况", None),
        ("where", "事情在阳光花园三号楼二单元", "阳光花园3号楼2单元"),
        ("where", "我们小区门口的灯坏了", None),
        ("where", "市里应该多种树", None),
        ("when", "昨天晚上", "昨天晚上（2026年11月19日）"),
        ("when", "打上个月开始的", "上个月"),
        ("when", "天天都这样", "天天"),
        ("when", "没准儿", None),
        ("phone", "号码是幺三九幺二三四五六七八", "13912345678"),
        ("phone", "打12345", None),
        ("amount", "一共欠了一万三千块钱", "13000"),
        ("amount", "三块五", "3.5"),
        ("people", "我们五个人都没拿到钱", "5"),
        ("employer", "我在宏远建筑公司干活", "宏远建筑公司"),
        ("employer", "我想举报有家饭店", None),
        ("employer", "老板欠了我两个月工钱", None),
        ("period", "从三月份到六月份没发工资", "从三月份到六月份"),
        ("name", "我叫王小明", "王小明"),
        ("department", "我要告城管", "城市管理局"),
        ("nonsense", "什么都行", None),
        ("where", "", None),
    ],
)
def test_said_in_a_story(
    city: City, now: datetime, field: str, text: str, value: str | None
) -> None:
    found = extract(field, text, now=now.astimezone(city.zone), city=city)
    if value is None:
        assert found is None
    else:
        assert found is not None
        assert value in found.value
        assert found.quote in text
        assert found.rule


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("where", "就我家楼下", "我家楼下"),
        ("where", "是八号楼", "8号楼"),
        ("where", "不清楚", None),
        ("where", "哪个地方都行吗", None),
        ("when", "从上个月开始天天晚上", "从上个月开始天天晚上"),
        ("people", "三个", "3"),
        ("people", "就我自己", "1"),
        ("employer", "兴达", "兴达"),
        ("employer", "不知道", None),
        ("name", "姓李", "李"),
        ("amount", "一万二", "12000"),
        ("period", "两个多月", "两个多月"),
    ],
)
def test_said_in_answer(
    city: City, now: datetime, field: str, text: str, value: str | None
) -> None:
    found = extract(field, text, now=now.astimezone(city.zone), city=city, asked=True)
    assert (found is None) == (value is None)
    if found and value:
        assert value in found.value


def test_a_whole_story(city: City, now: datetime) -> None:
    text = "我在宏远建筑公司干活从三月份到六月份一共欠了一万二我们五个人电话13912345678"
    found = extract_all(text, now=now.astimezone(city.zone), city=city)
    assert {name: item.value for name, item in found.items() if name not in ("what", "when")} == {
        "employer": "宏远建筑公司", "period": "从三月份到六月份", "amount": "12000", "people": "5",
        "phone": "13912345678",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["幸福路八号", "我要投诉小区噪音，幸福路八号，转人工"])
def test_a_house_number_is_where_and_not_when(city: City, now: datetime, text: str) -> None:
    found = extract_all(text, now=now.astimezone(city.zone), city=city)
    assert found["where"].value == "幸福路8号"
    assert "when" not in found


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("上个礼拜开始天天晚上都这样", "上个礼拜开始天天晚上都这样"),
        ("从上个礼拜开始天天晚上都这样啊", "从上个礼拜开始天天晚上都这样"),
        ("从上个月，嗯，天天晚上", "从上个月，嗯，天天晚上"),
    ],
)
def test_an_answer_kept_whole_is_quoted_whole(
    city: City, now: datetime, text: str, quote: str
) -> None:
    found = extract("when", text, now=now.astimezone(city.zone), city=city, asked=True)
    assert found is not None
    assert found.quote == quote


@given(st.text(max_size=80))
def test_total(city: City, text: str) -> None:
    for name, item in extract_all(text, now=NOON, city=city).items():
        assert item.value, name
        assert item.rule


@pytest.mark.parametrize(
    ("old", "new", "mended"),
    [
        ("建业小区9号楼3单元门口", "8号楼", "建业小区8号楼3单元门口"),
        ("建业小区9号楼3单元", "2单元", "建业小区9号楼2单元"),
        ("建业小区9号楼3单元", "8号楼1单元", "建业小区8号楼1单元"),
        ("建业小区9号楼", "阳光花园8号楼", "阳光花园8号楼"),
        ("解放路", "8号楼", "8号楼"),
    ],
)
def test_a_place_put_right(old: str, new: str, mended: str) -> None:
    assert amended_place(old, new) == mended


def test_two_departments_alike_are_none() -> None:
    one = Department(code="a", name="水务局", aliases=("水局",))
    two = Department(code="b", name="税务局", aliases=("水局",))
    assert department_for("去水局", (one, two)) is None
    assert department_for("去税务局", (one, two)) == two
    assert department_for("去公园", (one, two)) is None


@pytest.mark.parametrize(
    ("act", "text", "kind"),
    [
        ("policy", "", "咨询"), ("help", "", "求助"), ("complaint", "楼上吵", "投诉"),
        ("complaint", "我要举报楼上", "举报"), ("report", "", "举报"), ("suggestion", "", "建议"),
        ("praise", "", "表扬"), ("other", "", "其他"),
    ],
)  # fmt: skip
def test_kinds(act: str, text: str, kind: str) -> None:
    assert kind_of(act, text) == kind
