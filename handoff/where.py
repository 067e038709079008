"""Where it happened, in a citizen's words. Pure."""

from __future__ import annotations

import re

from config.city import City
from handoff.said import OPENING, QUESTION, SHORT_ANSWER, Extracted, Said
from language.corrections import corrected
from language.dates import period
from language.normal import clean, without_fillers
from language.places import Place, normalised, place
from language.story_words import masked
from language.telling import labelled

_VAGUE_PLACE = re.compile(
    r"门口|楼下|楼上|楼道|旁边|附近|对面|那边|这边|那块|这块|后面|"
    r"前面|东头|西头|南头|北头|村|[0-9]号|单元|栋"
    r"|河边|路边|桥|库房|工地|家里|我家|小区|学校|车站"
)


# What every neighbourhood has: in a story it does not yet say where.
_ANY_PLACE = re.compile(
    r"(?:我们|咱们|我|这|那|个|家|本)*(?:小区|社区|村|学校|医院|公园|"
    r"广场|菜?市场|超市|商场|工地|厂区?|单元|楼道|街|马路|路)?"
    r"(?:[东西南北正大后前]{0,2}门)?(?:门口|门前|门外|楼下|楼上|旁边|"
    r"附近|周边|对面|路口|里面?|内|地下车库|外面|边上)*"
)


def where_told(said: Said) -> Extracted | None:
    """The place that a turn tells, else None."""
    text = said.text if said.asked else OPENING.sub("", said.text, count=1)
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
    if not said.asked and (ending := _at_the_end(said)):
        return Extracted(normalised(ending), ending, "place_at_end")
    short = said.asked and len(said.text) <= SHORT_ANSWER
    number = _HOUSE.search(normalised(said.text))
    if short and number:
        return Extracted(number.group(), said.text, "house_number")
    if not short or QUESTION.search(said.text) or not _VAGUE_PLACE.search(said.text):
        return None
    words = re.sub(r"^(?:就?是?在|就是|是)", "", without_fillers(said.text))
    words = re.split("[，,。]", words)[0] or words
    return Extracted(normalised(words), said.text, "place_as_said")


def _put_right(said: Said, text: str) -> Extracted | None:
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
    r"^(?:嗯|哦|啊|就|是|在|搁|位于|那个|我们?|俺们?|咱们?|家|住|它|"
    r"他们?|地址|地点|位置|具体|事情|发生|[，,。])+"
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
        if len(bare) < 2 or QUESTION.search(bare) or "\x01" in masked(_POINTS.sub("", bare)):
            continue
        if found is not None and found.text in bare:
            return bare if len(bare) > len(found.text) else ""
        named = _SHORTEST_NAME <= len(bare) <= _LONGEST_NAME and not bare[0].isdigit()
        named = named and bool(re.search("[\u4e00-\u9fff]{2}", bare))
        if found is None and named and not (_NO_NAME.search(bare) or _ANY_PLACE.fullmatch(bare)):
            names.append(bare)
    return "，".join(names)  # 老乡快餐，步行街


_SITE_AT_END = re.compile(
    "(?:路|街|巷|胡同|[村屯镇乡庄沟堡]|[山河湖]|水库|公园|广场|小区|"
    "[苑园府庭湾]|家园|[一二三四五六七八九十0-9]期|栋|号楼|"
    "[号大]院|地下室|[一二三四五六七八九十0-9]楼|酒楼|饭店|餐厅|饭馆|"
    "食府|超市|市场|商场|大厦|宾馆|酒店|学校|小学|中学|幼儿园|医院|"
    "[二三]院|院[^，]科|[骨眼内外儿牙]科|教育|培训|公司|工地|[车公交]站|"
    "大桥|北门|南门|东门|西门|路口|步道|工业园|开发区|夜市|批发城|"
    "诊所|网吧|药店)"
    "(?:那儿|那边|那里|这边|附近|门口|旁边|对面|里面?|后面|前面|后头|那家|那块|底下|跟前)?"
)
_SHORTEST_END, _LONGEST_END = 3, 12


def _at_the_end(said: Said) -> str:
    """A story often ends with the bare name of the place: …钱不退，启航教育; '' where none is."""
    clauses = [part.strip() for part in re.split("[，,。！!；;]", said.text) if part.strip()]
    for clause in clauses[:0:-1][:2]:
        bare = re.sub("^(?:就?是?在|位于|地址是?|地点是?)", "", clause)
        told = not _SHORTEST_END <= len(bare) <= _LONGEST_END or "\x01" in masked(bare)
        if told or QUESTION.search(bare) or _NO_NAME.search(bare) or _ANY_PLACE.fullmatch(bare):
            continue
        if _ends_in_site(bare):
            return bare
    return ""


def _ends_in_site(bare: str) -> bool:
    """Whether a site's word ends ``bare`` with a name before it."""
    return any(
        found.end() == len(bare) and found.start() >= 1 for found in _SITE_AT_END.finditer(bare)
    )


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
