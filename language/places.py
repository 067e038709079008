"""Where it happened: the address in a sentence, with its spoken numbers made digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from language.normal import clean
from language.numerals import value
from language.pinyin import find_sound, fuzzy_syllables

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
_NAME = rf"{_CHAR}{{1,8}}?"
_REGION = (
    "自治区|自治县|省|市(?!场|民|政|里|区|面|价)|开发区|高新区|新区|"
    "区(?!域|间|别|政)|县(?!长|里|医)|旗(?![小中帜舰路街])|街道(?!上|"
    "边|两)|镇|乡(?!亲|下)|社区|村(?!民|里|长|委)|屯(?!粮)|庄(?!稼)|"
    "苏木|嘎查"
)
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
_AT = (
    "(?:的)?(?:[东西南北正大侧后前]{0,2}(?:门口|门|侧|头(?!疼)|边(?!上有)"
    ")|十字路口|丁字路口|三岔路口|交叉路口|交叉口|交汇处|交口|路口|斜对面|"
    "对面|附近|旁边|旁|"
    "周边|楼下|楼上|楼顶|楼道|地下车库|地下室|车库|院里|院内|门前|门外|"
    "里面|后面|前面|后身|前身|底商|转盘|红绿灯|桥下|桥上|桥头|路段|出口|"
    "入口|进站口|出站口|收费口|广场|公厕|电梯|内|里)"
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
_CORE = rf"(?:{_NAME}(?:{_REGION}|{_SITE}|{_ROAD})|{_NUMBER})"
_CROSS = re.compile(
    rf"(?P<a>{_NAME}(?:{_ROAD}))(?:和|与|跟|同|、|交)(?P<b>{_NAME}(?:{_ROAD})"
    rf")(?:的)?(?:{_AT})?"
)
_ADDRESS = re.compile(
    rf"(?P<head>{_NAME}(?:{_REGION}|{_SITE}|{_ROAD}))(?P<rest>(?:[，,\s]?(?:的)?{_CORE}){{0,8}})"
    rf"(?P<room>[零〇一二三四五六七八九幺0-9]{{3,4}}(?=$|[，。的]))?(?P<at>(?:{_AT}){{0,2}})"
)
_FACILITY = re.compile(
    rf"(?:{_SITE})(?<!小区)(?<!家园)(?<!花园)(?:的)?(?:[东西南北正大侧后前]门口?|"
    rf"门口|斜对面|对面|附近|旁边|后面|前面|后身|门前|路口)"
)
_DOOR = re.compile(rf"(?:[，,\s]?{_NUMBER}){{0,5}}(?:{_AT}){{0,2}}")
_SPOKEN = re.compile(
    r"(?P<n>[零〇一二两三四五六七八九十百幺]{1,5})(?=号楼|号院|号|栋|"
    r"幢|座|单元|门(?!口)|层|楼|室|组|期|弄|队|户)"
)
_ROOM_AT_END = re.compile(r"(?<=单元|号楼)(?P<n>[零一二三四五六七八九幺]{3,4})(?=$|[，。])")
_LEAD = re.compile(r"^(?:上|下|家|人|一|等|候|时|面|边|儿|天|于|外|内|内的|的|里|子)(?=.{3,})")
_FEWEST_SYLLABLES = 3
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
    rf"(?<=[\u4e00-\u9fff])(?<![知街报管通频渠行车轨隧楼味难河下水步盲跑航赛弯匝])道"
    rf")){_TO_NUMBER}"
)
# After these it may as well be a day's (人民医院八号停诊) unless nothing is said of it.
_MAYBE_NUMBERED = re.compile(
    rf"(?P<word>{_CHAR}{{0,8}}{_NAMED}(?:{_SITE}|[屯庄])|{_NUMBER}|"
    rf"[\u4e00-\u9fff]"
    rf"(?<![家屋村院区市县镇乡城这那哪夜心手楼房店厂校园车库群网街巷路场馆站室厅])里)"
    rf"{_TO_NUMBER}"
)
# 五一路 and 国庆新村, but not 国庆路上, 春节村里, 国庆高速.
_ROAD_AFTER = re.compile(
    rf"[东西南北中]?(?!高速|公路|[国省]道|快速|环)(?:{_ROAD}|新村|(?<=五一)广场(?!舞))(?![上边小头堵口])"
)
_NOTHING_SAID = re.compile(r"$|[，。、；！？,.;!? 的]")


@dataclass(frozen=True, slots=True)
class Place:
    """An address: ``text`` as it was said, ``normalised`` with digits, ``region_code`` ('' when
    none of the city's names is in it).
    """

    text: str
    region_code: str
    normalised: str


def place(text: str, regions: Mapping[str, str]) -> Place | None:
    """The address in ``text``, else None (楼下 alone is none).

    ``regions``: names and aliases of the city's districts, streets and well-known places → code.
    A name heard with other characters of the same sound counts when no other is there.
    """
    text = clean(text)
    spans = _spans(text, regions)
    code = _code(text, regions)
    if not spans:
        heard = "" if code else _heard(text, regions)
        return Place(heard, regions[heard], normalised(heard)) if heard else None
    start, end = max(spans, key=lambda s: (_weight(text[s[0] : s[1]], regions), s[1] - s[0], -s[0]))
    said = text[start:end].strip("，, 的")
    own = _code(said, regions) or code
    return Place(said, own or regions.get(_heard(text, regions), ""), normalised(said))


def normalised(text: str) -> str:
    """Spoken house numbers as digits: 九号楼三单元三零二室 → 9号楼3单元302室."""
    text = _SPOKEN.sub(_digits, text)
    return re.sub(r"[，,\s]+", "", _ROOM_AT_END.sub(_digits, text))


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


def _digits(match: re.Match[str]) -> str:
    number = value(match["n"])
    return match["n"] if number is None else str(int(number))


def _spans(text: str, regions: Mapping[str, str]) -> list[tuple[int, int]]:
    spans = [m.span() for m in _CROSS.finditer(text)]
    for match in _ADDRESS.finditer(text):
        start = match.start()
        lead = _LEAD.match(text[start : match.end()])
        start += lead.end() if lead else 0
        if not _GENERIC.fullmatch(text[start : match.end("head")]) or _pinned(match):
            spans.append((start, match.end()))
    spans += [m.span() for m in _FACILITY.finditer(text)]
    for name in regions:
        at = text.find(name)
        if at >= 0:
            door = _DOOR.match(text, at + len(name))
            spans.append((at, door.end() if door else at + len(name)))
    return [_joined(span, spans) for span in spans]


def _pinned(match: re.Match[str]) -> bool:
    """医院门口 names a place where 医院 alone does not; so does 小区9号楼."""
    return bool(
        match["at"] not in ("", "里", "内", "楼下", "楼上", "里面")
        or re.search(_NUMBER, match["rest"])
    )


def _joined(span: tuple[int, int], spans: list[tuple[int, int]]) -> tuple[int, int]:
    """``span`` with the ones it overlaps or touches."""
    start, end = span
    for other in sorted(spans):
        if other[0] <= end and other[1] >= start:
            start, end = min(start, other[0]), max(end, other[1])
    return start, end


def _weight(said: str, regions: Mapping[str, str]) -> int:
    known = any(name in said for name in regions)
    return 2 * known + len(re.findall(_NUMBER, said)) + len(re.findall(f"{_SITE}|{_ROAD}", said))


def _code(text: str, regions: Mapping[str, str]) -> str:
    """The most particular region named: of 东城区 and 解放街道 (east.jiefang) the latter."""
    named = [(name, code) for name, code in regions.items() if name and name in text]
    inner = [
        (name, code)
        for name, code in named
        if not any(other.startswith(f"{code}.") for _, other in named)
    ]
    return max(inner, key=lambda pair: len(pair[0]))[1] if inner else ""


def _heard(text: str, regions: Mapping[str, str]) -> str:
    """The longest name that ``text`` sounds like; '' when it is none or two of different places."""
    names = [
        name
        for name in regions
        if len(sound := fuzzy_syllables(name)) >= _FEWEST_SYLLABLES and find_sound(text, sound)
    ]
    longest = [name for name in names if len(name) == max(map(len, names))]
    return longest[0] if len({regions[name] for name in longest}) == 1 else ""
