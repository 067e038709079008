from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.dates import period, warm
from language.holidays import holiday

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 18, 15, 20, tzinfo=ZONE)  # a Wednesday


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("楼上昨天晚上又唱歌", "2026-03-17 18:00", "2026-03-18 00:00"),
        ("上礼拜三晚上的事", "2026-03-11 18:00", "2026-03-12 00:00"),
        ("今天早上八点停的水", "2026-03-18 08:00", "2026-03-18 08:59"),
        ("前天就报修了", "2026-03-16 00:00", "2026-03-17 00:00"),
        ("大前天下午三点半", "2026-03-15 15:30", "2026-03-15 15:30"),
        ("3月5号交的钱", "2026-03-05 00:00", "2026-03-06 00:00"),
        ("三月五号到八号", "2026-03-05 00:00", "2026-03-09 00:00"),
        ("12月20号", "2025-12-20 00:00", "2025-12-21 00:00"),
        ("二零二五年十二月一号", "2025-12-01 00:00", "2025-12-02 00:00"),
        ("2026-03-01办的", "2026-03-01 00:00", "2026-03-02 00:00"),
        ("国庆期间涨价", "2025-10-01 00:00", "2025-10-08 00:00"),
        ("春节放炮", "2026-02-17 00:00", "2026-02-25 00:00"),
        ("上个月底", "2026-02-21 00:00", "2026-03-01 00:00"),
        ("去年冬天不热", "2025-11-01 00:00", "2026-03-01 00:00"),
        ("周一到周五", "2026-03-16 00:00", "2026-03-21 00:00"),
        ("下礼拜三", "2026-03-25 00:00", "2026-03-26 00:00"),
        ("周六", "2026-03-14 00:00", "2026-03-15 00:00"),
        ("凌晨两点多", "2026-03-18 02:00", "2026-03-18 02:59"),
        ("晚上十二点", "2026-03-18 00:00", "2026-03-18 00:59"),
        ("昨晚凌晨三点", "2026-03-18 03:00", "2026-03-18 03:59"),
        ("上午9:30到11:00", "2026-03-18 09:30", "2026-03-18 11:00"),
        ("三天前", "2026-03-15 00:00", "2026-03-16 00:00"),
        ("15号没发工资", "2026-03-15 00:00", "2026-03-16 00:00"),
        ("28号发的", "2026-02-28 00:00", "2026-03-01 00:00"),
        ("前两天", "2026-03-16 00:00", "2026-03-18 15:20"),
        ("刚才", "2026-03-18 14:50", "2026-03-18 15:20"),
        ("建业小区9号楼昨天停电", "2026-03-17 00:00", "2026-03-18 00:00"),
    ],
)
def test_period(text: str, start: str, end: str) -> None:
    found = period(text, NOW)
    assert found is not None
    assert (found.from_, found.to) == (_at(start), _at(end))
    assert found.text in text
    assert not found.recurring


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("从上个星期开始就没热水", "2026-03-09 00:00"),
        ("从三月份到现在", "2026-03-01 00:00"),
        ("上礼拜三晚上停水到现在都没来", "2026-03-11 18:00"),
        ("已经两个月了", "2026-01-17 00:00"),
        ("停水停了三天了", "2026-03-15 00:00"),
        ("这半个月", "2026-03-03 00:00"),
        ("最近一周", "2026-03-11 00:00"),
        ("拖了一个半月", "2026-02-01 00:00"),
        ("早上六点就开始吵", "2026-03-18 06:00"),
        ("从昨天夜里开始", "2026-03-17 21:00"),
    ],
)
def test_what_goes_on_has_no_end(text: str, start: str) -> None:
    found = period(text, NOW)
    assert found is not None
    assert found.from_ == _at(start)
    assert found.to is None


@pytest.mark.parametrize(
    ("text", "said", "start", "end"),
    [
        ("每天夜里十一点以后施工", "每天夜里十一点以后", "2026-03-17 23:00", None),
        (
            "每天晚上十点到凌晨两点",
            "每天晚上十点到凌晨两点",
            "2026-03-17 22:00",
            "2026-03-18 02:00",
        ),
        ("每晚十点", "每晚十点", "2026-03-17 22:00", "2026-03-17 22:59"),
        ("每周三上午", "每周三上午", "2026-03-18 08:00", "2026-03-18 12:00"),
    ],
)
def test_what_comes_again(text: str, said: str, start: str, end: str | None) -> None:
    found = period(text, NOW)
    assert found is not None
    assert found.recurring
    assert found.text == said
    assert found.from_ == _at(start)
    assert found.to == (_at(end) if end else None)


@pytest.mark.parametrize("text", ["一直都这样", "前几天", "最近总停电", "长期没人管", "天天"])
def test_the_vague_keeps_its_words(text: str) -> None:
    found = period(text, NOW)
    assert found is not None
    assert found.from_ is None
    assert found.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "路灯坏了",
        "十二号楼",
        "三点建议",
        "我有一点不明白",
        "2月30号",
        "打电话",
        "没有时间",
        "九号院",
        "13月1号",
    ],
)
def test_no_time(text: str) -> None:
    assert period(text, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "幸福路八号", "在幸福路8号", "建设街十五号", "中山路二十号院", "太和路8号停电了",
        "阳光小区8号停水", "李家村8号", "槐树小街8号", "南京道8号停水", "和平里8号",
        "幸福路甲8号", "幸福路二段8号", "幸福路100弄8号", "幸福路东侧8号", "幸福路6-8号",
        "从幸福路八号到十号", "幸福路8号和10号", "三单元8号", "人民公园八号，", "太和公园8号",
        "五一路8号", "五一路", "国庆新村八号", "五一广场",
        "安全村8号", "富有小区8号停水",
        "我要投诉小区噪音，幸福路八号，转人工", "幸福路 8号",
        "8号院子", "8号单元", "8号门口", "8号房", "8号铺", "8号店", "8号窗口", "8号线", "8号台",
        "8号车厢", "8号桌", "8号地铁口", "8号出口", "8号档口",
    ],
)  # fmt: skip
def test_a_house_number_is_no_day(text: str) -> None:
    assert period(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("八号去的", "八号"),
        ("这个月八号", "这个月八号"),
        ("上个月十五号", "上个月十五号"),
        ("10号到现在", "10号"),
        ("从八号开始", "从八号开始"),
        ("8号晚上", "8号晚上"),
        ("幸福路，八号晚上开始的", "八号晚上"),
        ("幸福路从八号开始停水", "从八号开始"),
        ("幸福路停水八号到十号", "八号到十号"),
        ("幸福路3月8号到10号", "3月8号到10号"),
        ("幸福路这个月八号", "这个月八号"),
        ("幸福路八号昨天晚上停电", "昨天晚上"),
        ("幸福路8号和10号昨天停电", "昨天"),
        ("我们小区八号停水", "八号"),
        ("我们村八号停水", "八号"),
        ("这条路八号封的", "八号"),
        ("马路8号挖开的", "8号"),
        ("我知道八号去的", "八号"),
        ("街道8号通知的", "8号"),
        ("家里八号停水", "八号"),
        ("五一路上堵车", "五一"),
        ("春节街边放炮", "春节"),
        ("春节村里放炮", "春节"),
        ("国庆小区停水", "国庆"),
        ("国庆高速堵车", "国庆"),
        ("春节大街小巷放炮", "春节"),
        ("全村八号停水", "八号"),
        ("太和公园八号关门", "八号"),
        ("人民医院八号停诊", "八号"),
        ("工厂15号发工资", "15号"),
        ("东城区八号停水", "八号"),
        ("中山路口8号出的事", "8号"),
    ],
)
def test_a_day_is_no_house_number(text: str, said: str) -> None:
    found = period(text, NOW)
    assert found is not None
    assert found.text == said


_DIGITS = "零一二三四五六七八九"


def _spoken(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = {0: "", 1: "十"}.get(tens, f"{_DIGITS[tens]}十")
    return ten + (_DIGITS[ones] if ones else "")


ROADS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "在", "我住", "我要投诉小区噪音，"]),
        st.text(alphabet="幸福建设解放人民中山友谊太和永安文化新华胜利长江富康庆丰", min_size=2)
        .map(lambda name: name[:4]),
        st.sampled_from(
            ["路", "东路", "街", "大街", "大道", "公路", "巷", "弄", "胡同", "道", "里", "村",
             "小区", "花园", "苑", "公园", "工业园", "家属院", "大院"]
        ),
    ),
)  # fmt: skip


@given(ROADS, st.integers(1, 31), st.booleans(), st.sampled_from(["", "，", "，转人工"]))
def test_the_number_in_any_road_is_no_day(road: str, day: int, spoken: bool, after: str) -> None:
    assert period(f"{road}{_spoken(day) if spoken else day}号{after}", NOW) is None


@given(ROADS, st.integers(1, 18), st.booleans())
def test_a_day_after_a_pause_is_one(road: str, day: int, spoken: bool) -> None:
    said = f"{_spoken(day) if spoken else day}号晚上"
    found = period(f"{road}，{said}开始的", NOW)
    assert found is not None
    assert found.text == said
    assert found.from_ == NOW.replace(day=day, hour=18, minute=0)


def test_the_zone_is_that_of_now() -> None:
    urumqi = ZoneInfo("Asia/Urumqi")
    found = period("昨天", NOW.astimezone(urumqi))
    assert found is not None
    assert found.from_ is not None
    assert found.from_.tzinfo is urumqi


def test_lunar_holidays(capfd: pytest.CaptureFixture[str]) -> None:
    warm()
    spring = holiday("春节", 2025)
    assert spring is not None
    assert spring[0].isoformat() == "2025-01-29"
    assert holiday("春节", 9999) is None
    assert holiday("儿童节", 2025) is None
    assert capfd.readouterr().out == ""


WORDS = st.text(
    alphabet="昨今前天上下个周礼拜月号年早晚夜里点半到从开始每了已经两三十0123456789国庆春节",
    max_size=60,
)


@settings(deadline=None)
@given(
    st.text(max_size=200) | WORDS,
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_any_text_is_read(text: str, when: datetime) -> None:
    now = when.replace(tzinfo=ZONE)
    found = period(text, now)
    if found and found.from_ and found.to:
        assert found.from_ - timedelta(0) <= found.to


@pytest.mark.parametrize("sign", ["三", "天", "昨天到", "1:", "年月", "每天"])
def test_long_texts_end(sign: str) -> None:
    period((sign * 5000)[:5000], NOW)
