"""A house's number told from a day's: 八号 of 幸福路八号 is no eighth of the month."""

from __future__ import annotations

import re

_N = "[0-9零一二两三四五六七八九十百幺A-Za-z]{1,5}"
# What may stand before a name but is no part of it.
_STOP = (
    "在|住|到|去|从|往|向|我|你|您|他|她|它|们|咱|是|有|的|了|着|过|"
    "这|那|就|和(?![谐平睦美顺兴])|与|跟|及|把|被|让|给|对|说|讲|问|"
    "请|喂|呃|嗯|啊|哦|吧|吗|呢|"
    "位于|地址|坐落|靠近|经过|路过|附近|旁边|对面|门口|里面|外面|楼下|"
    "楼上|反映|投诉|举报|咨询|发现|看见|看到|听到|因为|所以|但是|然后|"
    "现在|今天|昨天|前天|明天|早上|上午|中午|下午|"
    "晚上|夜里|凌晨|半夜|最近|一直|每天|天天|刚才|开车|路段|名字|叫做|"
    "叫|也|都|很|不|没|想|要|离|找|来|走|能|会|可以|应该|已经|还|又|"
    "再|家住|应|多|少|其实|出|回|上周|上月|个|条|座|处|名|为|由|以|于|"
    "点|分"
)
_CHAR = rf"(?:(?!{_STOP})[\u4e00-\u9fffA-Za-z0-9])"
_ESTATE = (
    "小区|花园|家园|花苑|嘉苑|雅苑|佳苑|新苑|名苑|苑|新村|新城|新居|公寓|大厦|商厦|写字楼|国际城"
)
_YARD = "家属院|家属楼|大院|胡同"
_SITE = (
    rf"{_ESTATE}|广场(?!舞)|市场(?!监|价|部)|批发城|"
    "商城|商场|购物中心|超市|医院|卫生院|诊所|"
    "卫生服务中心|学校|小学|中学|[一二三四五六七八九十]中(?!学|队|心|"
    "午|间|央|国|旬)|高中|大学|学院|职校|幼儿园|火车站|高铁站|汽车站|"
    "客运站|公交站|地铁站|车站|西站|东站|南站|北站|收费站|加油站|公园|"
    "景区|"
    "体育馆|体育场|图书馆|博物馆|文化宫|影院|电影院|酒店|宾馆|饭店|饭馆|"
    "工地|工业园|产业园|园区|开发区|厂区|"
    rf"{_YARD}|大桥|"
    "立交桥|高架桥|天桥|桥头|"
    "政务大厅|服务大厅|办事大厅|行政中心|派出所|敬老院|养老院|水库|浴池|"
    "网吧|菜市场|农贸市场|早市|夜市|停车场|山庄|别墅|府邸|华府|华庭|"
    "名城|城中村|公馆|豪庭|首府|壹号|御府|厂"
)
_ROAD = (
    "大街|大道|公路|国道|省道|高速(?!费|路口费)|快速路|环路|街(?!道|"
    "坊)|路(?!灯|面|况|上|边|人|程|线|过|由|费|牌|口|段|政|障)|巷(?!子)"
    "|弄|里弄|环线|线(?=与|和)"
)
_NUMBER = (
    rf"{_N}(?:号楼|号院|号门|号(?!码|线)|栋|幢|座|单元|门(?!口)|层|楼(?!房|"
    rf"下|上|道|梯|顶|盖)|室|组|期|区|弄|户(?=$|[，。])|队)"
)
_GENERIC = re.compile(
    r"(?:.{0,2}马路|道路|公路|铁路|走路|线路|电路|半路|网站|一?条?[大小]?路|"
    r"[大小]?区|市区|城区|景区|小区|社区|城市|超市|门市|上市|村|镇|乡|"
    r"县|市|"
    r"学校|医院|广场|市场|公园|厂|工厂|工地|商场|酒店|饭店|饭馆|宾馆|"
    r"小学|中学|大学|高中|幼儿园|车站|公交站|停车场|街道|大街|胡同|新城|"
    r"公寓|加油站|[上下]乡|套路|思路|出路|退路|"
    r"居民小区|老旧小区|住宅小区|整个小区|全小区|本小区|上街|逛街|农村|"
    r"全市|全县|全区|我市|本市|小街|小巷|短路|迷路|修路|让路|问路|带路|"
    r"后厂|电厂|水厂|老区|地区|郊区|山区|灾区|片区|辖区|校区|厂区)"
)
_CLAUSE = 24  # characters before a number in which its road is looked for
# 8号 of 幸福路甲8号, 幸福路二段8号 and 幸福路6号到8号 still belongs to the road.
_TO_NUMBER = (
    rf"(?:[一二三四五六七八九十0-9]段|[东西南北中][侧段]?)?[甲乙丙丁附]?"
    rf"(?:{_N}号?(?:到|至|和|跟|与|或者?|、|[-~～—–]|附|之)){{0,3}}$"
)
# 小区 of 我们小区 and 那个小区 has no name.
_NAMED = "(?:(?<=[^们我咱俺你他她本全各该整个近壁这那的在是有没条哪每么])|(?<=[安万]全|富有))"
# After these a number with 号 is a house's, whatever comes next.
_NUMBERED = re.compile(
    rf"(?P<word>{_CHAR}{{0,8}}(?:"
    rf"(?<=[^的了着这那条在是有没不走找去往让问个么哪每修])(?:{_ROAD})(?<!高速)|"
    rf"{_NAMED}(?:{_ESTATE}|{_YARD}|村)|"
    rf"(?<=[\u4e00-\u9fff])(?<![知街报管通频渠行车轨隧楼味难河下水步盲跑航赛弯匝])道|"
    rf"(?<=[\u4e00-\u9fff]{{2}})"
    rf"(?<![家屋村院区市县镇乡城这那哪夜心手楼房店厂校园车库群网街巷路场馆站室厅班队位])里"
    rf")){_TO_NUMBER}"
)
# After these it may as well be a day's (人民医院八号停诊) unless nothing is said of it.
_MAYBE_NUMBERED = re.compile(
    rf"(?P<word>{_CHAR}{{0,8}}{_NAMED}(?:{_SITE}|[屯庄])|{_NUMBER})"
    rf"{_TO_NUMBER}"
)
# 五一路 and 国庆新村, but not 国庆路上, 春节村里, 国庆高速.
_ROAD_AFTER = re.compile(
    rf"[东西南北中]?(?!高速|公路|[国省]道|快速|环)(?:{_ROAD}|新村|"
    rf"(?<=五一)广场(?!舞))(?![上边小头堵口])"
)
_NOTHING_SAID = re.compile(r"$|[，。、；！？,.;!? 的]")


def is_house_number(text: str, start: int, end: int) -> bool:
    """Whether the number with 号 at ``text[start:end]`` is that of a house: 八号 of 幸福路八号.

    It is when it directly follows a named road, lane, estate or village; after any other place
    only when nothing is said of it (人民公园八号, but not 人民公园八号关门). ``text`` is cleaned.
    """
    before = text[max(0, start - _CLAUSE) : start]
    found = _NUMBERED.search(before)
    if found is None and _NOTHING_SAID.match(text, end):
        found = _MAYBE_NUMBERED.search(before)
    return found is not None and not _GENERIC.fullmatch(_named(before, found))


def is_road_name(text: str, end: int) -> bool:
    """Whether the day named up to ``end`` names a road instead: 五一 of 五一路."""
    return _ROAD_AFTER.match(text, end) is not None


def _named(before: str, found: re.Match[str]) -> str:
    """The place's words, with one character more when a stop word ends its name: 和路 of 太和路."""
    word = found["word"]
    bare = re.fullmatch(f"{_ROAD}|{_SITE}|[村道屯庄]", word)
    return before[max(0, found.start() - 1) : found.start()] + word if bare else word
