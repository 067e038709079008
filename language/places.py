"""Where it happened: the address in a sentence, with its spoken numbers made digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from language.doors import is_house_number
from language.normal import clean
from language.numerals import value
from language.pinyin import find_sound, fuzzy_syllables, sound_row, sounds_of
from language.place_words import AT, GENERIC, NAME, NUMBER, REGION, ROAD, SITE, UNIQUE
from language.story_words import masked

_CORE = rf"(?:{NAME}(?:{REGION}|{SITE}|{ROAD}){{1,3}}|{NUMBER})"
_CROSS = re.compile(rf"{NAME}(?:{ROAD})(?:&|交)(?P<b>{NAME}(?:{ROAD}))(?:{AT}){{0,2}}")
_ADDRESS = re.compile(
    rf"(?P<head>(?:{NAME}(?:{REGION}|{SITE}|{ROAD}){{1,3}}|"
    rf"{UNIQUE}))(?P<rest>(?:[，,\s]?~?{_CORE}){{0,8}})"
    rf"(?P<room>[零〇一二三四五六七八九幺0-9]{{3,4}}(?=$|[，,。~]))?(?P<at>(?:{AT}){{0,3}})"
)
_NUMBERED_FIRST = re.compile(rf"(?:{NUMBER}){{1,4}}(?:{AT}){{0,2}}")
_FACILITY = re.compile(
    rf"(?:{SITE})(?<!小区)(?<!家园)(?<!花园)~?(?:[东西南北正大侧后前]门口?|"
    rf"门口|斜对面|对面|附近|旁边|后面|前面|后身|门前|路口)"
)
# 金谷园12栋, 花样年华二期: a number that only an estate has names what stands before it.
_NAME_AND_NUMBER = re.compile(
    rf"(?:(?<=[\x01，。,.！!？? ~&])|^)(?P<name>(?!{AT})[\u4e00-\u9fff]{{2,7}}?)"
    rf"(?P<numbers>[0-9零一二三四五六七八九十百A-Z]{{1,4}}(?:号楼|栋|幢|期|座|单元|"
    rf"号院)(?:{NUMBER})*)"
    rf"(?P<room>[零〇一二三四五六七八九幺0-9]{{3,4}}(?=$|[，,。~]))?(?:{AT}){{0,2}}"
)
# 在红星美凯龙三楼: what stands behind 在 up to a word of the telling.
_BEHIND_IN = re.compile(
    rf"(?P<name>(?!{AT})[\u4e00-\u9fffA-Za-z]{{2,8}}?)(?P<numbers>(?:{NUMBER}){{0,4}})(?P<at>(?:{AT}){{0,2}})"
    r"(?=[\x01，。,.！!？? ~]|$)"
)
# 和平里8号; 家里8号停水 is about a day.
_LANE = re.compile(
    rf"{NAME}[里道](?P<number>[0-9零一二三四五六七八九十百]{{1,5}}号(?![楼院栋]))(?:{_CORE})*(?:{AT})*"
)
_DOOR = re.compile(
    rf"(?:{SITE}|{ROAD}){{0,2}}(?:[，,\s]?~?{_CORE}){{0,6}}(?P<room>[零〇一二三四五六七八九幺0-9]{{3,4}}(?=$|[，,。~]))?(?:{AT}){{0,3}}"
)
_SPOKEN = re.compile(
    r"(?P<n>[零〇一二两三四五六七八九十百幺]{1,5})(?=号楼|号院|号|栋|"
    r"幢|座|单元|门(?!口)|层|楼|室|组|期|弄|队|户)"
)
_ROOM_AT_END = re.compile(r"(?<=单元|号楼|[0-9]栋)(?P<n>[零一二三四五六七八九幺]{3,4})(?=$|[，。])")
_DAY_AT_END = re.compile(r"[0-9零一二三四五六七八九十]{1,3}号$")
_FEWEST_SYLLABLES = 3
# Before a place: it is where the speaker lives, or where it happened.
_LIVES = re.compile(
    r"(?:(?:我|我们|俺|俺们|咱|我家|我们家|本人)(?:是|家)?(?:住|家住|住在|家住在|家在|家是|"
    r"是)|家住在?|我家|老家在?|户口在?|我是)$"
)
_HAPPENED = re.compile(
    r"(?:地点|地方|位置|地址|事情|出事|事儿?|发生|说的|反映的|投诉的|举报的|工地|店)(?:就?是|"
    r"就?在|就?是在|发生在)+$|(?:发生|位于)在?$"
)


# 往东五十米: how far from the crossing.
_FURTHER = re.compile(
    r"[，,]?(?:再)?(?:[往向朝](?:[东西南北前后里上下]边?|[东西][南北])(?:走|去)?|[东西南北]边?)(?:大概|大约|约|差不多)?"
    r"[0-9零一二两三四五六七八九十百几]{1,4}多?米(?:左右|处|远|的地方)?"
)


_SHOP = re.compile(r"[A-Z]-?[0-9]{1,4}(?:号|室)?(?=$|[，,。 ])")
# 移动公司门前 behind 科尔沁大街.
_BESIDE = re.compile(rf"(?!{AT})[\u4e00-\u9fff]{{2,6}}?(?:{AT}){{1,2}}(?=$|[\x01，,。~ ])")


@dataclass(frozen=True, slots=True)
class Place:
    """An address: ``text`` as it was said, ``normalised`` with digits and the city's own names,
    ``region_code`` ('' when none of the city's names is in it).
    """

    text: str
    region_code: str
    normalised: str


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    generic: bool = False


def place(text: str, regions: Mapping[str, str]) -> Place | None:
    """The address in ``text``, else None (楼下 alone is none).

    ``regions``: names and aliases of the city's districts, streets and well-known places → code.
    A name heard with other characters of the same sound counts when no other is there. Of several
    places it is the one where something happened, not the one where the speaker lives.
    """
    text = clean(text)
    code = _code(text, regions)
    heard = "" if code else _heard(text, regions)
    spans = _spans(text, regions, heard)
    if not spans:
        return None
    best = max(spans, key=lambda span: _rank(span, text, regions, heard))
    said = text[best.start : _end(text, best.end)].strip("，, 的")
    said = _whose(said, text, spans)
    own = _code(said, regions) or code or regions.get(heard, "")
    return Place(said, own, normalised(_known(said, heard)))


def _end(text: str, at: int) -> int:
    """Where a place ends that ends at ``at``, with what is named beside or further on."""
    beside = _BESIDE.match(masked(text), at)
    shop = _SHOP.match(text, at)
    at = beside.end() if beside else shop.end() if shop else at
    further = _FURTHER.match(text, at)
    return further.end() if further else at


def _whose(said: str, text: str, spans: list[_Span]) -> str:
    """御园小区对面 for 小区对面 where the teller lives in 御园小区; else ``said``."""
    if not said.startswith("小区"):
        return said
    homes = [
        text[span.start : span.end]
        for span in spans
        if not span.generic and _LIVES.search(text[max(0, span.start - 8) : span.start])
    ]
    return homes[0] + said.removeprefix("小区") if homes else said


def normalised(text: str) -> str:
    """Spoken house numbers as digits: 九号楼三单元三零二室 → 9号楼3单元302室."""
    text = _SPOKEN.sub(_digits, text)
    return re.sub(r"[，,\s的]+", "", _ROOM_AT_END.sub(_digits, text))


def _digits(match: re.Match[str]) -> str:
    number = value(match["n"])
    return match["n"] if number is None else str(int(number))


def _spans(text: str, regions: Mapping[str, str], heard: str) -> list[_Span]:
    mask = masked(text)
    found = [*_named(text, mask), *_behind_in(text, mask), *_of_city(text, mask, regions, heard)]
    return [
        _without_day(text, span)
        for span in (_joined(one, found) for one in found)
        if span.end > span.start
    ]


def _named(text: str, mask: str) -> Iterator[_Span]:
    """Places named by a word that says what they are: 翠湖花园, 前进街."""
    for match in _CROSS.finditer(mask):
        yield _Span(*match.span())
    for match in _addresses(text, mask):
        plain = GENERIC.fullmatch(text[match.start() : match.end("head")])
        if not plain or _pinned(match):
            yield _Span(*match.span(), generic=bool(plain) and not match["rest"])
    for match in _NAME_AND_NUMBER.finditer(mask):
        if not GENERIC.fullmatch(match["name"]):
            yield _Span(*match.span())
    for match in _LANE.finditer(mask):
        if is_house_number(text, *match.span("number")):
            yield _Span(*match.span())
    for match in _FACILITY.finditer(mask):
        yield _Span(*match.span(), generic=True)


def _addresses(text: str, mask: str) -> Iterator[re.Match[str]]:
    """超市，向阳小区1号楼 begins at 向阳: what has no name of its own leads nothing."""
    at = 0
    while match := _ADDRESS.search(mask, at):
        at = match.end()
        paused = match["rest"][:1] in ("，", ",", " ")
        nameless = GENERIC.fullmatch(text[match.start() : match.end("head")])
        if paused and (nameless or match["head"] in match["rest"]):
            at = match.end("head")
            continue
        yield match


def _of_city(text: str, mask: str, regions: Mapping[str, str], heard: str) -> Iterator[_Span]:
    """The city's own names, also misheard, with the house numbers behind them."""
    spans = [
        found.span() for name in regions if name for found in re.finditer(re.escape(name), text)
    ]
    misheard = find_sound(text, fuzzy_syllables(heard)) if heard else None
    for start, end in [*spans, *([misheard] if misheard else [])]:
        door = _DOOR.match(mask, end)
        yield _Span(start, door.end() if door else end)


def _behind_in(text: str, mask: str) -> Iterator[_Span]:
    """Names without any word for what they are, by the 在 before them."""
    for lead in re.finditer("[在搁]", text):
        match = _BEHIND_IN.match(mask, lead.end())
        if match is None or mask[lead.start()] != "\x01" or _no_place(match["name"]):
            continue
        if len(match["name"]) > _SHORT or match["numbers"] or match["at"]:
            yield _Span(*match.span(), generic=True)


def _no_place(name: str) -> bool:
    """在工地 says nothing, 在步行街 does where a town has one."""
    return bool(_NO_PLACE.fullmatch(name)) and not re.fullmatch(UNIQUE, name)


_SHORT = 2  # 在职 and 在校 are no places
_NO_PLACE = re.compile(f"{GENERIC.pattern}|.*(?:公司|集团|单位|施工队|劳务队|网|群|手里|手上|外地)")


def _pinned(match: re.Match[str]) -> bool:
    """医院门口 names a place where 医院 alone does not; so does 小区9号楼."""
    return bool(
        match["at"] not in ("", "楼下", "楼上", "里面", "外面") or re.search(NUMBER, match["rest"])
    )


def _joined(span: _Span, spans: list[_Span]) -> _Span:
    """``span`` with the ones it overlaps or touches."""
    start, end, generic = span.start, span.end, span.generic
    for other in sorted(spans, key=lambda one: one.start):
        if other.start <= end and other.end >= start and other != span:
            start, end = min(start, other.start), max(end, other.end)
            generic = generic and other.generic
    return _Span(start, end, generic)


def _without_day(text: str, span: _Span) -> _Span:
    """东城区八号停水 is in 东城区, on the eighth."""
    day = _DAY_AT_END.search(text, span.start, span.end)
    if day is None or is_house_number(text, day.start(), day.end()):
        return span
    return _Span(span.start, day.start(), span.generic)


def _rank(
    span: _Span, text: str, regions: Mapping[str, str], heard: str
) -> tuple[int, int, int, int]:
    said, before = text[span.start : span.end], text[max(0, span.start - 8) : span.start]
    told = 2 * bool(_HAPPENED.search(before)) - 2 * bool(_LIVES.search(before)) - span.generic
    return told, _weight(said, regions) + 2 * bool(heard), len(said), -span.start


def _weight(said: str, regions: Mapping[str, str]) -> int:
    known = any(name in said for name in regions)
    numbers, marks = re.findall(NUMBER, said), re.findall(f"{SITE}|{ROAD}", said)
    return 2 * known + len(numbers) + min(3, len(marks))


def _known(said: str, heard: str) -> str:
    """``said`` with the city's name put in for what sounds like it."""
    span = find_sound(said, fuzzy_syllables(heard)) if heard else None
    return said[: span[0]] + heard + said[span[1] :] if span else said


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
    sounds = sounds_of(text)
    names = [
        name
        for name in regions
        if len(sound := fuzzy_syllables(name)) >= _FEWEST_SYLLABLES
        and sounds.find(sound_row(sound))
    ]
    longest = [name for name in names if len(name) == max(map(len, names))]
    return longest[0] if len({regions[name] for name in longest}) == 1 else ""
