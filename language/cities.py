"""Other places of the country: whether a question is of another city's rules. Pure.

The names are those of the provinces and of the cities at prefecture level.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from language.normal import clean

_NAMES = """
上海 云南 临沧 丽江 保山 大理 德宏 怒江 文山 昆明 昭通 普洱 曲靖 楚雄 玉溪 红河 西双版纳
迪庆 内蒙古 乌兰察布 乌海 兴安盟 包头 呼伦贝尔 呼和浩特 巴彦淖尔 赤峰 通辽 鄂尔多斯 锡林郭勒
阿拉善 北京 吉林 四平 延边 松原 白城 白山 辽源 通化 长春 四川 乐山 内江 凉山 南充 宜宾
巴中 广元 广安 德阳 成都 攀枝花 泸州 甘孜 眉山 绵阳 自贡 资阳 达州 遂宁 阿坝 雅安 天津
宁夏 中卫 吴忠 固原 石嘴山 银川 安徽 亳州 六安 合肥 安庆 宣城 宿州 池州 淮北 淮南 滁州
芜湖 蚌埠 铜陵 阜阳 马鞍山 黄山 山东 东营 临沂 威海 德州 日照 枣庄 泰安 济南 济宁 淄博
滨州 潍坊 烟台 聊城 菏泽 青岛 山西 临汾 吕梁 大同 太原 忻州 晋中 晋城 朔州 运城 长治
阳泉 广东 东莞 云浮 佛山 广州 惠州 揭阳 梅州 汕头 汕尾 江门 河源 深圳 清远 湛江 潮州
珠海 肇庆 茂名 阳江 韶关 广西 北海 南宁 崇左 来宾 柳州 桂林 梧州 河池 玉林 百色 贵港
贺州 钦州 防城港 新疆 乌鲁木齐 伊犁 克州 克拉玛依 博尔塔拉 吐鲁番 哈密 喀什 塔城 巴州 昌吉
阿克苏 阿勒泰 江苏 南京 南通 宿迁 常州 徐州 扬州 无锡 泰州 淮安 盐城 苏州 连云港 镇江
江西 上饶 九江 南昌 吉安 宜春 抚州 新余 景德镇 萍乡 赣州 鹰潭 河北 保定 唐山 廊坊 张家口
承德 沧州 石家庄 秦皇岛 衡水 邢台 邯郸 河南 三门峡 信阳 南阳 周口 商丘 安阳 平顶山 开封
新乡 洛阳 漯河 濮阳 焦作 许昌 郑州 驻马店 鹤壁 浙江 丽水 台州 嘉兴 宁波 杭州 温州 湖州
绍兴 舟山 衢州 金华 海南 三亚 三沙 儋州 海口 湖北 十堰 咸宁 孝感 宜昌 恩施 武汉 荆州
荆门 襄阳 鄂州 随州 黄冈 黄石 湖南 娄底 岳阳 常德 张家界 怀化 株洲 永州 湘潭 湘西 益阳
衡阳 邵阳 郴州 长沙 甘肃 临夏 兰州 嘉峪关 天水 定西 平凉 庆阳 张掖 武威 甘南 酒泉 金昌
陇南 福建 三明 南平 厦门 宁德 泉州 漳州 福州 莆田 龙岩 西藏 拉萨 日喀则 昌都 林芝 那曲
贵州 六盘水 安顺 毕节 贵阳 遵义 铜仁 黔东南 黔南 黔西南 辽宁 丹东 大连 抚顺 本溪 沈阳
盘锦 营口 葫芦岛 辽阳 铁岭 锦州 阜新 鞍山 重庆 陕西 咸阳 商洛 安康 宝鸡 延安 榆林 汉中
渭南 西安 铜川 青海 果洛 海南州 玉树 西宁 黄南 黑龙江 七台河 伊春 佳木斯 双鸭山 哈尔滨
大兴安岭 大庆 牡丹江 绥化 鸡西 鹤岗 黑河 齐齐哈尔
"""
_NO_PLACE = (
    r"(?:[东西南北中]?[路街巷]|大街|大道|大桥|大厦|大学|银行|饭店|小区|花园|医院|户口|户籍|人(?!民|社)|"
    r"籍|牌照|牌子|号段|车牌)"
)
_THERE = r"(?:市|省|自治区)?(?:那边|那里|那儿|这边|当地|本地)?"
_LEAD = (
    r"(?:你好|您好|请问|问一?下|我?想?(?:请)?(?:问|咨询|了解|知道)(?:一?下|问)?|麻烦|那|那么|就是|在|"
    r"你们|你知道|知道|帮我?(?:查|问)(?:一?下)?|[，,。 ])*"
)
_MOVING = re.compile(
    r"异地|外地|转[到入出移过回来去]|转(?:公积金|社保|学)|迁|落户|[去到来回从往离]|看病|就医|住院|"
    r"报销|备案|买[的了]?(?:个|套)?房|购房|房子|贷款|打工|工作|上班|上学|读书|交的|缴的|缴存|发的|"
    r"参保|退休|生的|出生|登记的|领的|考的|办的|老家|医保|的车|驾照|驾驶证"
)
"""What ties another place to a rule of one's own: 异地就医, 户口从外地迁来, 在北京买房."""


def other_city(text: str, own: Collection[str] = ()) -> str:
    """The other city or province whose rules ``text`` asks for (北京的社保卡怎么办), else ''.

    ``own``: names of the city itself and of its districts. What moves between places and what
    somebody has elsewhere is a question of the own city's rules.
    """
    text = clean(text)
    match = _asked_for().match(text)
    if match is None or match["name"] in own or match["wrong"]:
        return ""
    return "" if _MOVING.search(text, match.end("name")) else match["name"]


@cache
def _asked_for() -> re.Pattern[str]:
    names = "|".join(sorted(_NAMES.split(), key=len, reverse=True))
    return re.compile(rf"{_LEAD}(?P<name>{names})(?:市|省)?(?P<wrong>{_NO_PLACE})?{_THERE}")
