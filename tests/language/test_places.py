from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.places import normalised, place

REGIONS = {
    "示例市": "city",
    "东城区": "east",
    "东城": "east",
    "建业小区": "east",
    "西河区": "west",
    "阳光花园": "west",
    "火车站": "west",
    "解放街道": "east.jiefang",
    "双山镇": "lin.shuangshan",
    "大柳树村": "lin.shuangshan",
    "滨河大道": "west.qiaobei",
}


@pytest.mark.parametrize(
    ("text", "said", "code", "normal"),
    [
        ("文化路七十三号楼下烧烤摊油烟大", "文化路七十三号楼下", "", "文化路73号楼下"),
        ("文化路7号楼下水道堵了", "文化路7号楼", "", "文化路7号楼"),
        ("我在建业小区9号楼3单元这边", "建业小区9号楼3单元", "east", "建业小区9号楼3单元"),
        (
            "建业小区九号楼三单元三零二室",
            "建业小区九号楼三单元三零二室",
            "east",
            "建业小区9号楼3单元302室",
        ),
        ("人民路和解放街路口红灯太短", "人民路和解放街路口", "", "人民路和解放街路口"),
        ("火车站门口有黑车", "火车站门口", "west", "火车站门口"),
        ("我家住阳光花园十二号楼，暖气不热", "阳光花园十二号楼", "west", "阳光花园12号楼"),
        ("双山镇大柳树村的路坏了", "双山镇大柳树村", "lin.shuangshan", "双山镇大柳树村"),
        ("就在第一中学对面", "第一中学对面", "", "第一中学对面"),
        ("滨河大道88号", "滨河大道88号", "west.qiaobei", "滨河大道88号"),
        (
            "东城区解放街道建业小区东门",
            "东城区解放街道建业小区东门",
            "east.jiefang",
            "东城区解放街道建业小区东门",
        ),
        ("和谐家园二期五栋", "和谐家园二期五栋", "", "和谐家园2期5栋"),
        ("昨天晚上人民路堵车", "人民路", "", "人民路"),
        ("医院门口摆摊", "医院门口", "", "医院门口"),
        (
            "是幸福里小区三号楼二单元五零一",
            "幸福里小区三号楼二单元五零一",
            "",
            "幸福里小区3号楼2单元501",
        ),
        ("南湖公园北门停车场乱收费", "南湖公园北门停车场", "", "南湖公园北门停车场"),
        (
            "霍林郭勒市莫斯台街道建业小区9号楼",
            "霍林郭勒市莫斯台街道建业小区9号楼",
            "east",
            "霍林郭勒市莫斯台街道建业小区9号楼",
        ),
        ("建叶小区的路灯坏了", "建叶小区", "east", "建业小区"),
    ],
)
def test_place(text: str, said: str, code: str, normal: str) -> None:
    found = place(text, REGIONS)
    assert found is not None
    assert (found.text, found.region_code, found.normalised) == (said, code, normal)


def test_a_name_misheard_without_any_mark_is_the_known_one() -> None:
    found = place("宾河大到堵车", REGIONS)
    assert found is not None
    assert found.region_code == "west.qiaobei"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "楼下",
        "楼下太吵了",
        "马路上有个坑",
        "网站打不开",
        "走路",
        "电路老化",
        "小区里有人放炮",
        "广场舞",
        "租房提取公积金要什么材料",
        "我们村没有路灯",
        "超市",
        "公积金怎么提取",
        "楼道充电",
    ],
)
def test_no_place(text: str) -> None:
    assert place(text, REGIONS) is None


def test_normalised_leaves_names_alone() -> None:
    assert normalised("五一广场十八号") == "五一广场18号"
    assert normalised("八一路二十三号院") == "八一路23号院"


@settings(deadline=None)
@given(
    st.text(max_size=150)
    | st.text(alphabet="建业小区九号楼三单元人民路和街口在我住门的，一1A", max_size=150)
)
def test_any_text_is_read(text: str) -> None:
    found = place(text, REGIONS)
    assert found is None or (found.text and found.normalised)


@pytest.mark.parametrize("sign", ["路", "啊", "三号楼", "人民路和", "a1", "小区"])
def test_long_texts_end(sign: str) -> None:
    place((sign * 5000)[:5000], REGIONS)
