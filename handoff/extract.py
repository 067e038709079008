"""Fields of a work order found in what a citizen said. Pure; the time is passed in.

Nothing is made up: a field is what the words say, and its quote are the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from config.city import City, Department, FieldName, Kind
from handoff.said import OPENING, QUESTION, SHORT_ANSWER, Extracted, Said
from handoff.when import months_told, when_told
from handoff.where import where_told
from language import numbers
from language.normal import clean, without_fillers
from turns.understood import Act

_LEAST_STORY = 4  # characters below which words tell no story
_NAME = 4


def extract(
    field: FieldName | str, text: str, *, now: datetime, city: City, asked: bool = False
) -> Extracted | None:
    """What ``text`` says for ``field``, else None.

    ``now`` is aware and in the city's zone. ``asked``: the text answers the question for just this
    field, so that bare words count (三个 for people, 兴达公司 for employer).
    """
    rule = _RULES.get(field)
    text = clean(text)
    return rule(Said(text, now, city, asked)) if rule and text else None


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


_ONLY_INTENT = re.compile(
    r"(?:我|我们)?(?:想|要|来)?(?:投诉|反映|举报|求助|建议|表扬|说|提|有)?(?:一?个|点|一下|件)?"
    r"(?:人|事儿?|事情|问题|情况|意见|单位|公司|商家|困难|想法|店|邻居|物业|纠纷)?[啊吧呀了]?"
)


def _what(said: Said) -> Extracted | None:
    story = OPENING.sub("", without_fillers(said.text), count=1).strip("，,。.、：: ")
    if len(story) < _LEAST_STORY or _ONLY_INTENT.fullmatch(story):
        return None
    return Extracted(story, said.text, "story")


def _phone(said: Said) -> Extracted | None:
    number = numbers.phone(said.text)
    return None if number is None else Extracted(number, said.text, "phone")


def _amount(said: Said) -> Extracted | None:
    sum_ = numbers.amount(said.text)
    if sum_ is None or (not said.asked and (sum_ <= 0 or _DIGITS.fullmatch(said.text))):
        return None
    return Extracted(f"{sum_.normalize():f}", said.text, "amount")


_DIGITS = re.compile(r"[0-9零〇一二三四五六七八九幺两\s，,。.-]+")  # part of a telephone number
_BARE_COUNT = re.compile(
    r"(?:一共|总共|大概|有|就|差不多|连我)*(?P<n>[0-9一二三四五六七八九十两百]+)个?吧?"
)


def _people(said: Said) -> Extracted | None:
    count = numbers.people(said.text)
    if count is None and said.asked and (bare := _BARE_COUNT.fullmatch(said.text)):
        count = numbers.people(f"{bare['n']}个人")
    if count is None and said.asked and re.fullmatch(r"就?我(?:自己|一个|一个人)", said.text):
        count = 1
    return None if count is None else Extracted(str(count), said.text, "people")


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


def _employer(said: Said) -> Extracted | None:
    company = _COMPANY if said.asked else _COMPANY_TOLD
    found = company.search(said.text) or _BOSS.search(said.text)
    if found is not None:
        name = _LEAD.sub("", found["name"])
        named = len(name) > 1 and not _NAMELESS.fullmatch(name)
        return Extracted(name, found.group(), "employer") if named else None
    fits = said.asked and 1 < len(said.text) <= SHORT_ANSWER
    if not fits or QUESTION.search(said.text):
        return None
    return Extracted(without_fillers(said.text), said.text, "employer_as_said")


_NAMED = re.compile(
    r"(?:我叫|我的名字是|名字叫)(?P<name>[\u4e00-\u9fff]{2,4})(?=$|[，。,. ])"
    r"|我姓(?P<sur>[\u4e00-\u9fff])"
)


def _name(said: Said) -> Extracted | None:
    found = _NAMED.search(said.text)
    if found:
        return Extracted(found["name"] or found["sur"], found.group(), "name")
    if said.asked and re.fullmatch(rf"(?:姓|叫)?[\u4e00-\u9fff]{{1,{_NAME}}}", said.text):
        return Extracted(said.text.lstrip("姓叫"), said.text, "name_as_said")
    return None


def _department(said: Said) -> Extracted | None:
    found = department_for(said.text, said.city.departments)
    return None if found is None else Extracted(found.name, said.text, "department_named")


_RULES: dict[str, Callable[[Said], Extracted | None]] = {
    "what": _what,
    "where": where_told,
    "phone": _phone,
    "amount": _amount,
    "people": _people,
    "when": when_told,
    "period": months_told,
    "employer": _employer,
    "name": _name,
    "department": _department,
}
