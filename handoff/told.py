"""All fields of an order that a conversation tells, each with the turn it came from. Pure.

The citizen's words fill; what an agent or the bot says only tells which field is being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from config.city import City, Region
from handoff.extract import ASKED, WISHED, extract, extract_all
from handoff.said import Extracted
from handoff.when import refined_when
from handoff.where import refined_where
from language.corrections import corrected
from language.telephone import phones
from turns.orders import OrderField, Provenance

_TOLD = tuple(name for name in (*ASKED, *WISHED) if name != "what")
_DOUBTFUL = frozenset({
    "place_as_said", "name_answered", "employer_as_said", "name_as_said", "house_number",
    "wish_answered", "against_nameless",
})  # fmt: skip
_DOUBT = 0.55
"""What such a rule leaves of the recogniser's confidence: below what is shown as doubtful."""
_ASKED_AFTER = 3  # turns of the citizen that an agent's question still stands for


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn of the record. ``speaker``: citizen, agent or bot; ``act`` as it was understood."""

    id: str
    text: str
    at: datetime
    confidence: float = 1.0
    speaker: str = "citizen"
    act: str = ""


def fields_told(
    turns: Sequence[Spoken], *, city: City, known: Mapping[str, str] | None = None
) -> dict[str, OrderField]:
    """What ``turns`` tell, in order: the first finding of each field, made more precise by later
    ones. ``known``: values that stand already; of them only what is told better comes back.

    Not the content: which turns have any is known by their acts, not by their words.
    """
    values = dict(known or {})
    found: dict[str, OrderField] = {}
    asked, left = "", 0
    for turn in turns:
        if turn.speaker != "citizen":
            wanted = asked_for(turn.text)
            asked, left = (wanted, _ASKED_AFTER) if wanted else (asked, left)
            continue
        for name, item in _of_turn(turn, city, values, asked if left else "").items():
            before = found.get(name)
            former = (*before.former, before.value) if before else ()
            values[name] = item.value
            found[name] = replace(_field(turn, name, item), former=former)
            if name == asked:
                asked = ""
        left = max(0, left - 1)
    _add_regions(found, values, city)
    return found


def _of_turn(
    turn: Spoken, city: City, values: Mapping[str, str], asked: str
) -> dict[str, Extracted]:
    """What one turn adds or makes better."""
    now = turn.at.astimezone(city.zone)
    items = extract_all(turn.text, now=now, city=city, names=_TOLD)
    if asked and asked not in items and asked not in values:
        answer = extract(asked, turn.text, now=now, city=city, asked=True)
        if answer is not None:
            items[asked] = answer
    better = {name: item for name, item in items.items() if name not in values}
    better |= _refined(turn, now, city, values)
    better |= _put_right(turn, items, values)
    if better.get("contact") is not None:
        _keep_apart(better, values)
    return better


def _refined(
    turn: Spoken, now: datetime, city: City, values: Mapping[str, str]
) -> dict[str, Extracted]:
    """A vaguer place or time made more precise."""
    better = {}
    if values.get("where") and (where := refined_where(values["where"], turn.text, city)):
        better["where"] = where
    if values.get("when") and not _CALL_ME.search(turn.text):
        when = refined_when(values["when"], turn.text, now=now)
        if when is not None:
            better["when"] = when
    return {name: item for name, item in better.items() if item.value != values[name]}


_CALL_ME = re.compile("打(?:给我|我|过来|这个|电话)|联系我|接电话|回电|有空|方便")


def _put_right(
    turn: Spoken, items: Mapping[str, Extracted], values: Mapping[str, str]
) -> dict[str, Extracted]:
    """不对，是… and 电话换成… replace what was told before, also what is told twice differently
    as an answer.
    """
    earlier, later = corrected(turn.text)
    anew = bool(earlier or later != turn.text) or bool(_ANEW.search(turn.text))
    if not anew:
        return {}
    return {
        name: items[name]
        for name in ("phone", "amount", "people", "name", "secret", "visit")
        if name in items and name in values and items[name].value != values[name]
    }


_ANEW = re.compile("不对|不是|[说讲报记写]错|换成|换个|改成|更正|应该是|重新[说留报]")


def _keep_apart(better: dict[str, Extracted], values: Mapping[str, str]) -> None:
    """A second number that is the first one is none."""
    first = better["phone"].value if "phone" in better else values.get("phone", "")
    if better["contact"].value == first:
        del better["contact"]


def _field(turn: Spoken, name: str, item: Extracted) -> OrderField:
    confidence = turn.confidence * (_DOUBT if item.rule in _DOUBTFUL else 1.0)
    source = Provenance(turn.id, item.quote, turn.at, round(confidence, 3), item.rule)
    return OrderField(name, item.value, source)


_QUESTIONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("contact", "(?:另外|还有|其他|备用|第二个)[^，。？]{0,6}(?:电话|号码|联系)"),
        ("phone", "电话|手机|号码|联系方式"),
        ("secret", "保密|匿名"),
        ("visit", "回访|回复您|回电"),
        ("outcome", ("什么(?:诉求|要求|希望|想法)|(?:希望|想)(?:要)?(?:怎么|如何|我们怎么)|"
            "有(?:什么|啥)(?:诉求|要求)")),
        ("name", "怎么称呼|贵姓|姓什么|叫什么|姓名|您的?名字"),
        ("where", ("哪里|哪儿|在哪|地址|什么地方|哪个(?:小区|地方|位置|路|街道|村)|"
            "位置|几号楼|几单元|地点")),
        ("period", "哪几个月|几个月的?工资|拖欠时间|从几月"),
        ("when", "什么时候|啥时候|多久|几点|哪天|时间|多长时间|几号"),
        ("amount", "多少钱|金额|欠了?多少|一共多少"),
        ("people", "几个人|多少人|几位|多少个人|人数"),
        ("employer", ("哪个(?:公司|单位|工地|厂|老板)|什么(?:公司|单位)|哪家(?:公司|"
            "单位)?|公司(?:全称|名字|名称)")),
    )
)  # fmt: skip
_ASKING = re.compile(
    "[？?吗呢么]|什么|哪|谁|多少|几|怎么|如何|多久|请(?:问|您|说|"
    "留|提供)|说一下|留一?个|报一下|提供|方便"
)


def asked_for(text: str) -> str:
    """The field that an agent's words ask for (您的电话是多少), else ''."""
    if not _ASKING.search(text) or len(phones(text)) > 0:
        return ""
    last = re.split("[。！!；;]", text.rstrip("。！!；; "))[-1]
    return next((name for name, words in _QUESTIONS if words.search(last)), "")


_LEVELS = (
    ("district", re.compile(r".*(?:区|县|旗|市)$")),
    ("street", re.compile(r".*(?:街道|镇|乡|苏木)$")),
)
_COMMUNITY = re.compile(
    r"[\u4e00-\u9fff0-9]{2,10}?(?:小区|社区|家园|花园|公寓|新村|村|"
    r"嘎查|屯|苑|城|府|庭|里|湾|园)(?![\u4e00-\u9fff]{0,2}(?:路|街|"
    r"道|口))"
)


def _add_regions(found: dict[str, OrderField], values: dict[str, str], city: City) -> None:
    """District, street, community and detail of the place, where it names them."""
    where = found.get("where")
    if where is None:
        return
    for name, value in regions_of(where.value, city).items():
        source = where.provenance
        part = Provenance(source.turn, source.quote, source.at, source.confidence, "place_part")
        found[name] = OrderField(name, value, part)
        values[name] = value


def regions_of(where: str, city: City) -> dict[str, str]:
    """district, street, community, detail of a place, those that it tells or the city knows."""
    parts: dict[str, str] = {}
    by_code = {region.code: region for region in city.regions}
    named = [
        (_depth(region, by_code), len(word), region.code)
        for region in city.regions
        for word in (region.name, *region.aliases, *region.places)
        if region.parent and word in where
    ]
    at = by_code.get(max(named)[2]) if named else None
    seen: set[str] = set()
    while at is not None and at.parent and at.code not in seen:
        seen.add(at.code)
        level = next((name for name, words in _LEVELS if words.fullmatch(at.name)), "")
        if level:
            parts.setdefault(level, at.name)
        at = by_code.get(at.parent)
    rest = where
    for name in (parts.get("district", ""), parts.get("street", "")):
        rest = rest.removeprefix(name) if name else rest
    community = _COMMUNITY.match(rest)
    if community:
        parts["community"] = community.group()
        rest = rest[community.end() :]
    detail = rest.strip("，, 的")
    if detail and detail != where:
        parts["detail"] = detail
    return parts


def _depth(region: Region, by_code: Mapping[str, Region]) -> int:
    """How far below the city; checked names only, so that no ring goes on for ever."""
    depth = 0
    at: Region | None = region
    while at is not None and at.parent and depth < len(by_code):
        at = by_code.get(at.parent)
        depth += 1
    return depth
