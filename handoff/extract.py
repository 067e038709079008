"""Fields of a work order found in what a citizen said. Pure; the time is passed in.

Nothing is made up: a field is what the words say, and its quote are the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.city import City, Department, FieldName, Kind
from language import numbers
from language.corrections import corrected
from language.dates import Period, period
from language.normal import clean, without_fillers
from language.places import Place, normalised, place
from language.story_words import masked
from language.telling import labelled
from turns.understood import Act

_SHORT_ANSWER = 30  # characters; an answer up to this long is kept whole as a place or a time
_LEAST_STORY = 4  # characters below which words tell no story
_NAME = 4


@dataclass(frozen=True, slots=True)
class Extracted:
    """A field's value, the words it was taken from, and the rule that took it."""

    value: str
    quote: str
    rule: str


def extract(
    field: FieldName | str, text: str, *, now: datetime, city: City, asked: bool = False
) -> Extracted | None:
    """What ``text`` says for ``field``, else None.

    ``now`` is aware and in the city's zone. ``asked``: the text answers the question for just this
    field, so that bare words count (三个 for people, 兴达公司 for employer).
    """
    rule = _RULES.get(field)
    text = clean(text)
    return rule(_Said(text, now, city, asked)) if rule and text else None


def extract_all(text: str, *, now: datetime, city: City) -> dict[str, Extracted]:
    """Every field that a story tells by itself; '' tells none."""
    found = {
        name: extract(name, text, now=now, city=city)
        for name in ("what", "where", "when", "phone", "amount", "people", "department",
                     "employer", "period", "name")
    }  # fmt: skip
    return {name: item for name, item in found.items() if item is not None}


def kind_of(act: Act | str, text: str) -> Kind:
    """The kind of request that an act makes (domain.md); what the words call it goes before."""
    for words, kind in _CALLED:
        if words.search(text):
            return kind
    if act == "help" and _ACCUSES.search(text) and not _PLEADS.search(text):
        return "投诉"
    return _KINDS.get(act, "其他")


_LEAD_IN = (
    r"^(?:你好|您好|喂|哎|那个|这个|同志|师傅|请问|麻烦|[，,。])*(?:我|我们|俺|俺们|咱)?"
    r"(?:就)?(?:是)?(?:想|要|得|来|打电话)*"
)
_CALLED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile("举报|检举|揭发"), "举报"),
    (re.compile("投诉(?!过|了|电话|热线|没用|无门)"), "投诉"),
    (re.compile(rf"{_LEAD_IN}(?:提|给.{{1,4}}提)?一?[个点条]?(?:意见|建议)"), "建议"),
    (re.compile(rf"{_LEAD_IN}(?:求助|请求帮助)"), "求助"),
    (re.compile(rf"{_LEAD_IN}(?:跟|向|和|给)?(?:你们?|您|政府)?(?:反映|反应)"), "投诉"),
)
_PLEADS = re.compile("求|帮帮|帮我|帮忙|救|怎么办|咋办|咋整|走丢|走失|找不[到着]|困难|联系不上")
_ACCUSES = re.compile(
    "打人|打孩子|不管|没人[管修来理]|不[退给让发赔修]|没[退给发修]|骗|乱[收停扔堆倒]|扰民|欠|态度|拒|偷|宰|"
    "太[吵脏差]|臭|吵|不承认|要求赔|黑心|坑了|[坏烂]得|坏了.*[天月年]|违"
)


def department_for(text: str, departments: Sequence[Department]) -> Department | None:
    """The department that ``text`` names; None for none and for two that are named alike."""
    named = [
        (len(word), department)
        for department in departments
        for word in (department.name, *department.aliases)
        if word in text
    ]
    if not named:
        return None
    longest = max(length for length, _ in named)
    best = {department.code: department for length, department in named if length == longest}
    return next(iter(best.values())) if len(best) == 1 else None


_KINDS: dict[str, Kind] = {
    "policy": "咨询", "help": "求助", "danger": "求助", "complaint": "投诉", "report": "举报",
    "suggestion": "建议", "praise": "表扬",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    now: datetime
    city: City
    asked: bool


_OPENING = re.compile(
    r"^(?:(?:你好|您好|喂|哎|同志|师傅|请问|那个|嗯|呃|是这样的?|是这么回事|事情是这样的?|"
    r"我跟你[说讲]|我说|啊|呀|吧|[，,。.、 ])+"
    r"|(?:我|我们|俺)?(?:就是)?(?:今天)?(?:想|要|得|来|打电话)*(?:跟|和|向|给)?(?:你们|你|您|政府|领导)?"
    r"(?:投诉|反映|反应|举报|检举|说|提|问|求助|建议|报|咨询|讲)(?:一下儿?|下儿?|说|说说|个|一个|一件|点儿?|些|两个)*"
    r"(?:事儿?|事情|问题|情况|意见|建议|投诉|纠纷)?(?:[啊呀吧，,。.、：: ]|就是|是这样的?)*)+"
)
_ONLY_INTENT = re.compile(
    r"(?:我|我们)?(?:想|要|来)?(?:投诉|反映|举报|求助|建议|表扬|说|提|有)?(?:一?个|点|一下|件)?"
    r"(?:人|事儿?|事情|问题|情况|意见|单位|公司|商家|困难|想法|店|邻居|物业|纠纷)?[啊吧呀了]?"
)


def _what(said: _Said) -> Extracted | None:
    story = _OPENING.sub("", without_fillers(said.text), count=1).strip("，,。.、：: ")
    if len(story) < _LEAST_STORY or _ONLY_INTENT.fullmatch(story):
        return None
    return Extracted(story, said.text, "story")


def _phone(said: _Said) -> Extracted | None:
    number = numbers.phone(said.text)
    return None if number is None else Extracted(number, said.text, "phone")


_VAGUE_PLACE = re.compile(
    r"门口|楼下|楼上|楼道|旁边|附近|对面|那边|这边|那块|这块|后面|前面|东头|西头|南头|北头|村|[0-9]号|单元|栋"
    r"|河边|路边|桥|库房|工地|家里|我家|小区|学校|车站"
)


# What every neighbourhood has: in a story it does not yet say where.
_ANY_PLACE = re.compile(
    r"(?:我们|咱们|我|这|那|个|家|本)*(?:小区|社区|村|学校|医院|公园|广场|菜?市场|超市|商场|工地|厂区?|单元|楼道|街|马路|路)?"
    r"(?:[东西南北正大后前]{0,2}门)?(?:门口|门前|门外|楼下|楼上|旁边|附近|周边|对面|路口|里面?|内|地下车库|外面|边上)*"
)


def refined_when(old: str, new: str, *, now: datetime) -> Extracted | None:
    """``old`` (a time told before) with what ``new`` adds to it: 半夜 and 昨天 make 昨天半夜.

    None when ``new`` tells no time, or no part of it that was still open.
    """
    told, adds = _WORKED_OUT.sub("", old), period(new, now)
    if adds is None or adds.from_ is None or told in new:
        return None
    before = period(old, now)
    if before is not None and (alone := _tells_more(before, adds, told)):
        return Extracted(alone + _dated(adds, now), adds.text, "period_later")
    both = (
        period(f"{told}，{new if len(new) <= _SHORT_ANSWER else adds.text}", now)
        if len(told) <= _SHORT_ANSWER
        else None
    )
    if before is None or both is None or both.text == before.text:
        return None
    if before.from_ is None and not before.recurring:
        words = adds.text
    else:
        words = both.text if both.text != adds.text else adds.text + told
    return Extracted(words + _dated(both, now), adds.text, "period_joined")


def _tells_more(before: Period, adds: Period, told: str) -> str:
    """The words of a later time that replaces the one before: a beginning, or day and hour."""
    begun = adds.to is None and not adds.recurring and adds.from_ is not None
    if begun and before.to is not None and before.from_ is not None and not before.recurring:
        return f"{adds.text}，{told}" if adds.from_ < before.from_ else ""  # type: ignore[operator]  # begun
    exact = adds.to is not None and not adds.recurring and re.search("[点时:：]", adds.text)
    day = re.search("[昨前今上周号日]", adds.text)
    return adds.text if exact and day and _CLOCK_ONLY.fullmatch(told.rstrip("的")) else ""


_WORKED_OUT = re.compile(r"（[^（）]*日[^（）]*）$")


def _where(said: _Said) -> Extracted | None:
    text = said.text if said.asked else _OPENING.sub("", said.text, count=1)
    if label := labelled(text, "地点|地址|位置|发生地"):
        return Extracted(normalised(label), label, "place_labelled")
    if put_right := _put_right(said, text):
        return put_right
    found = place(text, _places(said.city))
    untimed = found is not None or period(text, said.now) is None
    if said.asked and untimed and (whole := _whole_answer(text, found)):
        rule = "place_answered" if found else "name_answered"
        return Extracted(normalised(whole), whole, rule)
    if found is not None and (said.asked or not _ANY_PLACE.fullmatch(found.normalised)):
        return Extracted(found.normalised, found.text, "place")
    short = said.asked and len(said.text) <= _SHORT_ANSWER
    number = _HOUSE.search(normalised(said.text))
    if short and number:
        return Extracted(number.group(), said.text, "house_number")
    if not short or _QUESTION.search(said.text) or not _VAGUE_PLACE.search(said.text):
        return None
    words = re.sub(r"^(?:就?是?在|就是|是)", "", without_fillers(said.text))
    words = re.split("[，,。]", words)[0] or words
    return Extracted(normalised(words), said.text, "place_as_said")


def _put_right(said: _Said, text: str) -> Extracted | None:
    """建业小区8号楼，不对，是6号楼 in one sentence."""
    earlier, later = corrected(text)
    before = place(earlier, _places(said.city)) if earlier else None
    if before is None:
        return None
    later = re.sub("^(?:应该|就|是|在)+", "", later)
    number = _HOUSE.match(normalised(re.split("[，,。]", later)[0]))
    after = place(later, _places(said.city))
    right = number.group() if number else after.normalised if after else ""
    mended = amended_place(before.normalised, right) if right else before.normalised
    return Extracted(mended, text, "place_corrected")


_ANSWERS = re.compile(
    r"^(?:嗯|哦|啊|就|是|在|搁|位于|那个|我们?|俺们?|咱们?|家|住|它|他们?|地址|地点|位置|具体|事情|发生|[，,。])+"
    r"(?=.{2})"
)
_TRAILS = re.compile(
    r"(?:那儿|那里|那边|这边|这儿|这里|那块儿?|这块儿?|那一片|一带|[吧啊呀呢嘛哈的了])+$"
)
_NO_NAME = re.compile(r"谢|再见|拜|等|随便|匿名|没|无|知道|清楚|[0-9]{5}")
_IN = re.compile("^[^，,。]{0,6}?在(?:咱们?|我们)?(?:市里?的?)?(?=.{2})")
# No words of a telling: the second crossing, that site, 南湖人家.
_POINTS = re.compile("第?[0-9一二两三四五六七八九十]+个|[这那][个家条边]|上(?=[那这])|人家$")
_SHORTEST_NAME, _LONGEST_NAME = 3, 10


def _whole_answer(text: str, found: Place | None) -> str:
    """The clause that answers where, whole: 桥北的恒大工地, 枫林晚; '' where it tells more."""
    names = []
    for clause in re.split("[，,。！!]", without_fillers(text)):
        bare = _TRAILS.sub("", _ANSWERS.sub("", clause))
        bare = _IN.sub("", bare)
        if len(bare) < 2 or _QUESTION.search(bare) or "\x01" in masked(_POINTS.sub("", bare)):
            continue
        if found is not None and found.text in bare:
            return bare if len(bare) > len(found.text) else ""
        named = _SHORTEST_NAME <= len(bare) <= _LONGEST_NAME and not bare[0].isdigit()
        named = named and bool(re.search("[\u4e00-\u9fff]{2}", bare))
        if found is None and named and not (_NO_NAME.search(bare) or _ANY_PLACE.fullmatch(bare)):
            names.append(bare)
    return "，".join(names)  # 老乡快餐，步行街


def with_house(where: str, story: str) -> str:
    """``where`` with the house number that the story told before: 2号楼3单元 / 御景华庭."""
    number = _HOUSE.search(normalised(story))
    told = number is not None and re.search("[号栋幢座单]", number.group())
    return (
        where
        if not told or number is None or _HOUSE.search(where)
        else where + number.group().strip("，, ")
    )


_ONLY_COMPANY = re.compile("[\u4e00-\u9fff]{2,12}(?:公司|集团|劳务队|施工队)")


def refined_where(old: str, text: str, city: City) -> Extracted | None:
    """A turn that is a place and nothing else, told after a vaguer one; None for any other."""
    text = clean(text)
    called = re.search(
        "小区(?:的?名字?)?(?:叫做?|名叫|是)(?P<name>[\u4e00-\u9fff]{2,8})(?=$|[，,。])", text
    )
    if called and old.startswith("小区"):
        return Extracted(called["name"] + old, text, "place_named")
    bare = _IN.sub("", _TRAILS.sub("", _ANSWERS.sub("", without_fillers(text))))
    if re.fullmatch(_HOUSE.pattern, normalised(bare)) and not _HOUSE.search(old):
        return Extracted(old + normalised(bare), text, "place_joined")
    found = place(bare, _places(city))
    if found is None or len(found.text) < len(bare) - 2 or found.normalised in old:
        return None
    vague = (
        _ANY_PLACE.fullmatch(old)
        or _ONLY_COMPANY.fullmatch(old)
        or (
            not re.search("[0-9]", old)
            and re.search("[0-9]+(?:[号栋幢座层楼]|单元)", found.normalised)
        )
    )
    return (
        Extracted(found.normalised, text, "place_refined")
        if vague or old in found.normalised
        else None
    )


def _places(city: City) -> dict[str, str]:
    """The city's names and what they are called, with their codes; 全市 and 市里 are no place."""
    return {
        word: region.code
        for region in city.regions
        for word in (region.name, *(region.aliases if region.parent else ()), *region.places)
    }


_HOUSE = re.compile(
    r"(?:[0-9A-Za-z]+(?:号楼|栋|幢|座|号院|单元|号?门(?!口)|层|楼(?!下|上|道)|室|户)[，, ]?)+"
    r"(?:[0-9]{3,4}(?![0-9元块]))?"
)
_PARTS = tuple(
    re.compile(rf"[0-9A-Za-z]+(?:{unit})")
    for unit in ("号楼|栋|幢|座|号院|号", "单元|号?门(?!口)", "层|楼(?!下|上|道)", "室|户|$")
)


def amended_place(old: str, new: str) -> str:
    """``old`` with the house numbers that ``new`` puts right (8号楼); else ``new`` itself.

    Both are normalised. A place that names its street or estate replaces the whole.
    """
    rest = new
    mended = old
    for part in _PARTS:
        right, wrong = part.search(rest), part.search(mended)
        if right is None:
            continue
        rest = rest.replace(right.group(), "", 1)
        if wrong is None:
            return new
        mended = mended[: wrong.start()] + right.group() + mended[wrong.end() :]
    return new if rest.strip("的，, 是在") else mended


def _amount(said: _Said) -> Extracted | None:
    sum_ = numbers.amount(said.text)
    if sum_ is None or (not said.asked and (sum_ <= 0 or _DIGITS.fullmatch(said.text))):
        return None
    return Extracted(f"{sum_.normalize():f}", said.text, "amount")


_DIGITS = re.compile(r"[0-9零〇一二三四五六七八九幺两\s，,。.-]+")  # part of a telephone number
_BARE_COUNT = re.compile(
    r"(?:一共|总共|大概|有|就|差不多|连我)*(?P<n>[0-9一二三四五六七八九十两百]+)个?吧?"
)


def _people(said: _Said) -> Extracted | None:
    count = numbers.people(said.text)
    if count is None and said.asked and (bare := _BARE_COUNT.fullmatch(said.text)):
        count = numbers.people(f"{bare['n']}个人")
    if count is None and said.asked and re.fullmatch(r"就?我(?:自己|一个|一个人)", said.text):
        count = 1
    return None if count is None else Extracted(str(count), said.text, "people")


def _when(said: _Said) -> Extracted | None:
    if label := labelled(said.text, "时间|日期"):
        told = period(label, said.now)
        if told is not None:
            return Extracted(label + _dated(told, said.now), label, "period_labelled")
    found = period(said.text, said.now)
    if found is None or (not said.asked and _VAGUE_TIME.fullmatch(found.text)):
        return None
    whole = said.asked and len(said.text) <= _SHORT_ANSWER
    words = without_fillers(said.text) if whole else found.text
    again = period(words, said.now) if whole else found
    if again is None or again.from_ != found.from_:
        words = said.text  # 这个月五号: 这个 was no filler
    quote = words if words in said.text else said.text  # fillers inside: the words differ
    return Extracted(words + _dated(found, said.now), quote, "period")


_VAGUE_TIME = re.compile("一直.*|长期|常年|年前|很久|好久|老早|多年")  # a story's filler words
_CLOCK_ONLY = re.compile(
    r"从?(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜|大半夜|大晚上)?"
    r"(?:[0-9零一二两三四五六七八九十]+[点:：时].*)?"
)


def _dated(found: Period, now: datetime) -> str:
    """The days behind relative words, for whoever reads them later: （2026年11月9日起）."""
    if found.from_ is None or found.recurring:
        return ""
    if found.to is not None and _CLOCK_ONLY.fullmatch(found.text):
        return ""
    first = _day(found.from_, now)
    if found.to is None:
        return f"（{first}起）"
    last = _day(found.to - timedelta(seconds=1), now)
    return f"（{first}）" if first == last else f"（{first}至{last}）"


def _day(at: datetime, now: datetime) -> str:
    at = at.astimezone(now.tzinfo)
    return f"{at.year}年{at.month}月{at.day}日"


_MONTHS = re.compile(
    r"(?:从?(?:去年|今年|前年)?(?:[0-9一二三四五六七八九十]{1,3}月份?)"
    r"(?:(?:到|至|和|、|，|跟)(?:今年|去年)?(?:[0-9一二三四五六七八九十]{1,3}月份?|现在|上个月|这个月))*"
    r"|(?:[0-9一二两三四五六七八九十半]+)(?:多)?个(?:多|半)?月|(?:大?半年|[一二两三四五六七八九十]+年半?))"
)


def _period(said: _Said) -> Extracted | None:
    """Which months: what a question for wages asks."""
    found = _MONTHS.search(said.text)
    if found is None:
        return None if not said.asked else _when(said)
    return Extracted(found.group(), found.group(), "months")


_SUFFIX = (
    "有限公司|公司|集团|工厂|厂|饭店|酒店|宾馆|超市|商场|工地|项目部|劳务队|施工队|建筑队|餐厅|饭馆|火锅店|"
    "理发店|店|学校|幼儿园|医院|中介|物业"
)
# In a story only a name that is introduced as one: 在宏远建筑公司干活.
_COMPANY_TOLD = re.compile(
    rf"(?:在|给|叫|跟着|是)(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{2,12}}?(?:{_SUFFIX}))"
    r"(?=干|上班|打工|做|工作|的|欠|拖|老板|，|,|。|$)"
)
_COMPANY = re.compile(rf"(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{2,16}}?(?:{_SUFFIX}))")
_BOSS = re.compile(r"(?P<name>(?:老板|包工头|工头|经理|负责人)(?:叫|是|姓)[\u4e00-\u9fff]{1,3})")
_LEAD = re.compile(r"^(?:就?是|在|叫|给|跟着|我们?|俺们?|他们?|那个|一个|一家|这个|就)+")
_NAMELESS = re.compile(
    r"(?:一?[个家]|这[个家]?|那[个家]?|我们?|的|他们?|原来|有)*"
    r"(?:公司|厂|店|老板|工地|单位|学校|中介|物业|饭店|超市)"
)


def _employer(said: _Said) -> Extracted | None:
    company = _COMPANY if said.asked else _COMPANY_TOLD
    found = company.search(said.text) or _BOSS.search(said.text)
    if found is not None:
        name = _LEAD.sub("", found["name"])
        named = len(name) > 1 and not _NAMELESS.fullmatch(name)
        return Extracted(name, found.group(), "employer") if named else None
    fits = said.asked and 1 < len(said.text) <= _SHORT_ANSWER
    if not fits or _QUESTION.search(said.text):
        return None
    return Extracted(without_fillers(said.text), said.text, "employer_as_said")


_QUESTION = re.compile(r"[吗？?]|什么|怎么|哪|谁|不知道|不清楚|多少")
_NAMED = re.compile(
    r"(?:我叫|我的名字是|名字叫)(?P<name>[\u4e00-\u9fff]{2,4})(?=$|[，。,. ])"
    r"|我姓(?P<sur>[\u4e00-\u9fff])"
)


def _name(said: _Said) -> Extracted | None:
    found = _NAMED.search(said.text)
    if found:
        return Extracted(found["name"] or found["sur"], found.group(), "name")
    if said.asked and re.fullmatch(rf"(?:姓|叫)?[\u4e00-\u9fff]{{1,{_NAME}}}", said.text):
        return Extracted(said.text.lstrip("姓叫"), said.text, "name_as_said")
    return None


def _department(said: _Said) -> Extracted | None:
    found = department_for(said.text, said.city.departments)
    return None if found is None else Extracted(found.name, said.text, "department_named")


_RULES: dict[str, Callable[[_Said], Extracted | None]] = {
    "what": _what,
    "where": _where,
    "phone": _phone,
    "amount": _amount,
    "people": _people,
    "when": _when,
    "period": _period,
    "employer": _employer,
    "name": _name,
    "department": _department,
}
