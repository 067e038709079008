"""All that a conversation tells of an order, each field with the turn it came from."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from config.city import City
from handoff.told import Spoken, asked_for, fields_told, regions_of
from turns.orders import OrderField


def told(city: City, now: datetime, *lines: str) -> dict[str, OrderField]:
    """``A:`` begins what an agent says."""
    turns = [
        Spoken(f"h{at}", line.removeprefix("A:"), now + timedelta(seconds=at), 0.9,
               "agent" if line.startswith("A:") else "citizen")
        for at, line in enumerate(lines)
    ]  # fmt: skip
    return fields_told(turns, city=city)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("楼道灯坏了，能不能赶紧修一下，谢谢", {"outcome": "能不能赶紧修一下"}),
        ("要求退款，我的电话是13812345678", {"outcome": "要求退款", "phone": "13812345678"}),
        ("建议加个红绿灯", {"outcome": "建议加个红绿灯"}),
        ("能不能帮我转人工", {"outcome": None}),
        ("别说是我举报的，不用给我打电话", {"secret": "是", "visit": "否"}),
        ("不用保密", {"secret": "否"}),
        ("我妈只会说蒙语", {"language": "蒙语"}),
        ("我耳朵背，听不清", {"language": "听力不便"}),
        ("孩子的英语老师打人", {"language": None}),
        ("28路司机甩站", {"against": "28路司机"}),
        ("红星健身房不退钱", {"against": "红星健身房"}),
        ("门口的老王烧烤店油烟大", {"against": "老王烧烤店"}),
        ("蒙G12345这个出租车绕路", {"against": "蒙G12345"}),
        ("我家停水了", {"against": None}),
        ("我姓王，叫王建国", {"name": "王建国"}),
        (
            "打不通就打我女儿的13912345678，我的是13812345678",
            {"phone": "13812345678", "contact": "13912345678"},
        ),
        ("电话13812345678", {"contact": None}),
        ("楼道灯坏了三个月", {"period": None}),
        ("欠我三个月工资", {"period": "三个月"}),
    ],
)
def test_what_one_turn_tells(
    city: City, now: datetime, line: str, fields: dict[str, str | None]
) -> None:
    found = told(city, now, line)
    assert {name: found[name].value if name in found else None for name in fields} == fields


def test_answers_to_an_agent_count(city: City, now: datetime) -> None:
    found = told(
        city, now, "A:请问是几个人被欠？", "三个", "A:是哪家公司？", "兴达",
        "A:需要保密吗？", "不用", "A:需要回访吗", "要的",
    )  # fmt: skip
    assert {name: field.value for name, field in found.items()} == {
        "people": "3", "employer": "兴达", "secret": "否", "visit": "是",
    }  # fmt: skip
    assert found["people"].provenance.turn == "h1"
    assert found["employer"].provenance.confidence < 0.6  # as it was said: shown as doubtful


def test_an_answer_may_come_a_turn_late(city: City, now: datetime) -> None:
    found = told(city, now, "A:您怎么称呼？", "你等一下啊", "免贵姓李")
    assert found["name"].value == "李"


def test_what_an_agent_says_fills_nothing(city: City, now: datetime) -> None:
    assert told(city, now, "A:我们电话是13800138000，在解放路12号，我姓张") == {}


def test_later_turns_make_it_better(city: City, now: datetime) -> None:
    found = told(
        city, now, "晚上老有人施工", "就昨天晚上十点，在阳光花园", "A:几号楼？", "6号楼3单元"
    )
    assert found["when"].value == "昨天晚上十点（2026年11月19日）"
    assert len(found["when"].former) == 1
    assert found["where"].value == "阳光花园6号楼3单元"


def test_a_number_is_put_right(city: City, now: datetime) -> None:
    found = told(city, now, "电话13800138000", "不对，是13900139000")
    assert (found["phone"].value, found["phone"].former) == ("13900139000", ("13800138000",))


@pytest.mark.parametrize(
    ("where", "parts"),
    [
        (
            "临江县双山镇双山村",
            {"district": "临江县", "street": "双山镇", "community": "双山村"},
        ),
        (
            "建业小区9号楼3单元",
            {"district": "东城区", "community": "建业小区", "detail": "9号楼3单元"},
        ),
        ("解放路12号", {"district": "东城区", "street": "解放街道"}),
        ("月球背面", {}),
    ],
)
def test_parts_of_a_place(city: City, where: str, parts: dict[str, str]) -> None:
    assert regions_of(where, city) == parts


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("您的电话是多少？", "phone"), ("请问事情发生在哪里？", "where"),
        ("什么时候开始的", "when"), ("您贵姓？", "name"), ("您希望怎么解决？", "outcome"),
        ("好的，我记下来了。", ""), ("您的电话是13800138000对吗？", ""), ("", ""),
        ("还有其他联系电话吗？", "contact"),
    ],
)  # fmt: skip
def test_what_is_asked_for(line: str, field: str) -> None:
    assert asked_for(line) == field
