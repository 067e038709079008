"""Fields of a work order found in what a citizen said. Pure; the time is passed in.

Nothing is made up: a field is what the words say, and its quote are the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from config.city import City, Department, FieldName
from handoff.said import OPENING, QUESTION, SHORT_ANSWER, Extracted, Said
from handoff.when import months_told, when_told
from handoff.where import where_told
from handoff.wishes import (
    against_told,
    contact_told,
    language_told,
    main_phone,
    secret_told,
    visit_told,
    wish_told,
)
from language import numbers
from language.normal import clean, without_fillers
from language.people import caller_name

ASKED = ("what", "where", "when", "phone", "amount", "people", "department", "employer", "period",
         "name")  # fmt: skip
"""Fields that a complaint form may ask."""
WISHED = ("outcome", "against", "contact", "secret", "visit", "language")
"""Fields that nobody asks a citizen for and that may be told all the same."""

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


def extract_all(
    text: str, *, now: datetime, city: City, names: Iterable[str] = ASKED
) -> dict[str, Extracted]:
    """Every field of ``names`` that a story tells by itself; '' tells none."""
    found = {name: extract(name, text, now=now, city=city) for name in names}
    return {name: item for name, item in found.items() if item is not None}


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
    number = main_phone(said.text)
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
    "有限公司|公司|集团|工厂|厂|饭店|酒店|宾馆|超市|商场|工地|项目部|"
    "劳务队|施工队|建筑队|餐厅|饭馆|火锅店|"
    "理发店|店|学校|幼儿园|医院|中介|物业"
)
# In a story only a name that is introduced as one: 在宏远建筑公司干活.
_COMPANY_TOLD = re.compile(
    rf"(?:(?:在|给|叫|跟着|是)(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{2,12}}?(?:{_SUFFIX}))"
    r"(?=干|上班|打工|做|工作|的|欠|拖|老板|，|,|。|$)"
    rf"|(?:^|[，,。])(?P<owes>[\u4e00-\u9fffA-Za-z0-9]{{2,12}}?(?:{_SUFFIX}))(?=欠|"
    rf"拖欠|不发|不给(?:我们)?发|一直欠))"
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
        name = _LEAD.sub("", found["name"] or found.groupdict().get("owes") or "")
        named = len(name) > 1 and not _NAMELESS.fullmatch(name)
        return Extracted(name, found.group(), "employer") if named else None
    fits = said.asked and 1 < len(said.text) <= SHORT_ANSWER
    if not fits or QUESTION.search(said.text):
        return None
    return Extracted(without_fillers(said.text), said.text, "employer_as_said")


_WAGES = re.compile("工资|工钱|薪|欠|劳务费|血汗钱|活钱|发钱|结账|结清")


def _period(said: Said) -> Extracted | None:
    """The months that wages are owed for; 坏了一个多月 are none."""
    return months_told(said) if said.asked or _WAGES.search(said.text) else None


def _name(said: Said) -> Extracted | None:
    told = caller_name(said.text)
    if told is not None:
        clauses = [part for part in re.split("[，,。；;]", said.text) if told[-1] in part]
        return Extracted(told, clauses[0] if clauses else said.text, "name")
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
    "period": _period,
    "employer": _employer,
    "name": _name,
    "department": _department,
    "outcome": wish_told,
    "against": against_told,
    "contact": contact_told,
    "secret": secret_told,
    "visit": visit_told,
    "language": language_told,
}
