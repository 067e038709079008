"""A title and a short summary of an order, put together from what was said. Pure.

Nothing is worded anew: every part is a piece of the story or a field as it was filled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from handoff.said import OPENING
from language.normal import clean, without_fillers

UNSAID = "转人工，没有说明事由"
"""The title of an order whose citizen told nothing."""
LONGEST_TITLE = 40
"""Characters."""
_LONGEST_STORY = 90
_SHORT = 4

_MATTERS = re.compile(
    "[；;。！!？?]+"
)  # between turns, and between what is told one after the other
_CLAUSES = re.compile("[，,。！!？?；;：:]+")
_LEAD = re.compile(
    r"^(?:(?:我|我们|咱|咱们|俺|俺们)(?:就)?(?:是)?(?:住在?|家住在?|"
    r"家在|想|要)(?=[^，。]{0,4}(?:反映|投诉|举报|问|说))"
    r"|(?:我们|咱们|俺们)(?=[^，。]{2})(?!这些|几个|一共)"
    r"|(?:就是说?|然后|因为|所以|但是|而且|另外|还有|反正|结果|其实|"
    r"现在|最近|那个|这个|是这样的?|主要是|关键是|问题是|"
    r"你看|你说|你们|请问|麻烦|想问一下|跟你说|说一下|反映一下?|投诉一下?|"
    r"举报一下?|有个问题|有个事))+"
)
_TAIL = re.compile(
    r"(?:[啊呀呢吧嘛哈啦哎的]|(?<![坏漏塌断停堵丢倒裂爆破翘])了|怎么办|咋办|咋整|有没有人管|没有?人管(?:吗|"
    r"啊)|谁来管|行不行|可以吗|好吗|是不是)+$"
)
_PLEA = re.compile(
    "^(?:请|希望|麻烦|能不能|能否|可不可以|要求|帮|赶紧|赶快|尽快|"
    "你们|有没有|谢谢|电话|我电话|手机|号码|联系|我叫|我姓|我的|麻烦你)"
)
_PROBLEM = re.compile(
    "不[^，。知道]|没|坏|漏|堵|吵|欠|脏|臭|乱|断|停|破|裂|塌|偷|骗|"
    "占|扰|拖|拒|涨|多收|违|危险|黑|冒|积|掉|丢|倒|"
    "漏|烂|病|打|骂|推|退|咬|烧|排|挖|建|搭|修|装|表扬|感谢|建议|增加|取消"
)
_WHO_WILL_NOT = re.compile(
    "^(?:物业|他们?|公司|单位|社区|[^，]{0,4}(?:找|打电话|反映))[^，]{0,8}[不没]"
)
_NUMBERS = re.compile(r"[0-9０-９]{5,}|[零一二三四五六七八九幺]{7,}")


def title(fields: Mapping[str, str], words: Sequence[str], *, default: str, said: str = "") -> str:
    """Place, subject and problem in at most :data:`LONGEST_TITLE` characters.

    ``fields``: values by name; ``words``: what told the class; ``default``: where nothing was said;
    ``said``: the words that told the place. Who tells two matters gets a title of one: the place of
    one never stands before the problem of the other.
    """
    story = fields.get("what") or fields.get("matter") or ""
    told = [clauses for part in _MATTERS.split(story) if (clauses := _clauses(part, fields))]
    if not told:
        return _clip(_bare(story) or default)
    ranked = [(_worth(clause, words), -n, -m) for n, part in enumerate(told)
              for m, clause in enumerate(part)]  # fmt: skip
    _, n, m = max(ranked)
    part, at = told[-n], -m
    subject = part[at]
    if len(subject) < _SHORT and at + 1 < len(part):
        subject += part[at + 1]
    place = fields.get("where", "")
    return _clip(subject if _elsewhere(story, subject, said or place) else _joined(place, subject))


def _elsewhere(story: str, subject: str, said: str) -> bool:
    """Whether the place was told of another matter of the story than ``subject``."""
    parts = _MATTERS.split(story)
    there = [part for part in parts if said and said in part]
    return bool(there) and all(
        subject not in part and _PROBLEM.search(part.replace(said, "")) for part in there
    )


_SAYS: Mapping[str, str] = {
    "咨询": "市民咨询", "求助": "市民求助", "投诉": "市民投诉", "举报": "市民举报",
    "建议": "市民建议", "表扬": "市民表扬",
}  # fmt: skip
_WISHES = re.compile("^(?:要求|希望|请求?|想要?|盼|建议)")


def summary(fields: Mapping[str, str]) -> str:
    """Two to four sentences: what, where and when; whom it is about and how much; what is wished.

    ``fields``: values by name. Around them stand whole sentences, so that it reads as a person
    would write it.
    """
    story = _story(fields.get("what") or fields.get("matter") or "")
    says = _SAYS.get(fields.get("kind", ""), "市民反映")
    at = _listed(fields, story, (("where", "地点在{}"), ("when", "时间是{}")))
    about = _listed(fields, "", (
        ("against", "反映的对象是{}"), ("employer", "用人单位是{}"), ("period", "拖欠时段为{}"),
        ("amount", "金额{}元"), ("people", "涉及{}人"),
    ))  # fmt: skip
    wish = fields.get("outcome", "") if _new(fields, "outcome", story) else ""
    wishes = f"市民{'' if _WISHES.match(wish) else '希望'}{wish}" if wish else ""
    sentences = (f"{says}：{story}" if story else "", at, about, wishes)
    return "".join(f"{one.rstrip('。')}。" for one in sentences if one)


def _listed(fields: Mapping[str, str], story: str, parts: Sequence[tuple[str, str]]) -> str:
    """The fields that are there and not in the story, each in its words."""
    told = (words.format(fields[name]) for name, words in parts if _new(fields, name, story))
    return "，".join(told)


def _new(fields: Mapping[str, str], name: str, story: str) -> bool:
    value = fields.get(name, "")
    return bool(value) and value not in story


def _story(text: str) -> str:
    bare = _bare(text)
    return bare if len(bare) <= _LONGEST_STORY else f"{bare[:_LONGEST_STORY]}……"


def _bare(text: str) -> str:
    return OPENING.sub("", without_fillers(clean(text)), count=1).strip("，,。.、：:；; ")


def _clauses(story: str, fields: Mapping[str, str]) -> list[str]:
    """The story's clauses without place, time, numbers and filler words."""
    told = []
    when = re.sub("（.*?）", "", fields.get("when", ""))
    if _PROBLEM.search(when):  # 坏了半个月 is what is wrong, too
        when = ""
    for clause in _CLAUSES.split(_bare(story)):
        bare = clause
        for known in (fields.get("where", ""), when):
            bare = bare.replace(known, "") if known else bare
        bare = _TAIL.sub("", _LEAD.sub("", bare.strip())).strip("，、的 在")
        if len(bare) >= 2 and not _NUMBERS.search(bare):
            told.append(bare)
    return told


def _worth(clause: str, words: Sequence[str]) -> float:
    worth = 2.0 * any(word in clause for word in words) + 1.0 * bool(_PROBLEM.search(clause))
    worth -= 2.0 * bool(_PLEA.search(clause)) + 0.5 * bool(_WHO_WILL_NOT.search(clause))
    return worth + (0.5 if _SHORT <= len(clause) <= 24 else 0.0)


def _joined(place: str, subject: str) -> str:
    if not place or place in subject:
        return subject
    for size in range(min(len(place), len(subject)), 1, -1):  # 9号楼 + 9号楼楼道
        if place.endswith(subject[:size]):
            return place + subject[size:]
    return place + subject


def _clip(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1] + "…"
