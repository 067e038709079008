"""Questions about another city's rules: this hotline knows only its own."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CITIES = [
    "北京",
    "上海",
    "天津",
    "重庆",
    "广州",
    "深圳",
    "成都",
    "杭州",
    "武汉",
    "西安",
    "南京",
    "苏州",
    "郑州",
    "长沙",
    "东莞",
    "沈阳",
    "青岛",
    "合肥",
    "佛山",
    "宁波",
    "昆明",
    "福州",
    "无锡",
    "厦门",
    "哈尔滨",
    "长春",
    "南昌",
    "济南",
    "大连",
    "贵阳",
    "温州",
    "石家庄",
    "泉州",
    "南宁",
    "金华",
    "常州",
    "珠海",
    "惠州",
    "嘉兴",
    "南通",
    "中山",
    "保定",
    "兰州",
    "台州",
    "徐州",
    "太原",
    "绍兴",
    "烟台",
    "海口",
    "乌鲁木齐",
    "潍坊",
    "呼和浩特",
    "洛阳",
    "扬州",
    "汕头",
    "银川",
    "西宁",
    "拉萨",
    "三亚",
]
_PROVINCES = (
    "新疆|西藏|内蒙古|广西|宁夏|四川|云南|贵州|河南|河北|山东|山西|湖南|湖北|江西|安徽|福建|"
    "浙江|江苏|广东|海南|黑龙江|吉林|辽宁|陕西|甘肃|青海"
)
_OPENING = r"(?:请问|我想问|想问|问一下|问下|那个|你好|您好|我问|咨询|一下|下|[，。,. ])*"
_BOTH = re.compile(
    r"转|迁|备案|异地|外地|看病|住院|就医|回来|过来|回本|"
    r"这边|这里|这儿|在这|我们这|本地|咱|老家|跨省|跨市|带到|看的病|返嚟|过嚟"
)
"""What links two places: then it is a question for here."""


def of_another_city(text: str, own: Iterable[str] = ()) -> bool:
    """Whether ``text`` asks how something is done in another big city (深圳公租房怎么排队) or
    over in a province (新疆那边怎么办居住证).

    Only where the name opens the text and nothing links it to here. ``own``: names of the
    city itself and its regions.
    """
    match = _STARTS.match(text)
    if match is None or _BOTH.search(text, match.end()):
        return False
    place = match[1] or match[2]
    return not any(place in name for name in own)


_STARTS = re.compile(
    rf"{_OPENING}在?(?:({'|'.join(_CITIES)})(?!路|街|大道|东|西|南|北|[人来户])"
    rf"|({_PROVINCES})省?那(?:边|里|儿))"
)
