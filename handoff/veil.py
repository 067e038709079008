"""是否保密 in free text: the words that would tell who reported. Pure.

An order's fields that name the reporter are left out by whoever shows it; this is for what stands
in the middle of a story: their name, their numbers, the room they live in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MARK = "（保密）"
"""What stands in the place of such words."""
_TITLES = "先生|女士|小姐|太太|师傅|大爷|大妈|大哥|大姐|大叔|阿姨|老师|同志|老板|经理|医生|老人"
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "呼延")
_ADDRESSED = re.compile(rf"(?:{_TITLES})$")
_SAYS_NAME = re.compile(
    r"(?P<cue>(?:我|本人|咱)(?:是?叫|姓(?!名))|免贵姓|姓名[是叫为:：]?\s?|名字[是叫为:：]\s?)"
    r"(?!他|她|它|你|您|人|了|过|来|不|什么|啥)(?P<name>[\u4e00-\u9fff]{1,4}?"
    r"(?=$|[^\u4e00-\u9fff]|住|家|电话|手机|今年|在|是|要|想|反映|举报|投诉)|[\u4e00-\u9fff]{2,3})"
)
_DIGITS = "0-9零〇○一二三四五六七八九幺"
_NUMBER = re.compile(rf"(?:[{_DIGITS}][\s\-—–,，、.]{{0,2}}){{6,}}[{_DIGITS}Xx]")
_ORDER = re.compile(r"20[0-9]{11}")  # YYYYMMDD and five digits: no telephone's
_LIVES = re.compile(
    r"(?:家住|(?:我们?|咱们?|本人|我们?家|咱们?家)(?:家)?(?:是|就)?住在?|(?:我们?|咱们?|本人的?)家在|"
    r"(?:住址|家庭住址|家庭地址)[是在为:：]?)(?P<place>[^，,。；;！!？?\s]{2,40})"
)
_MANY = f"[{_DIGITS}十百两]+"
_UNIT = "号?楼|栋|幢|座|单元|门|层|室|户|房|号"
_ROOM = "[0-9]{3,4}|[零〇一二三四五六七八九幺]{3,4}"
_PART = re.compile(f"(?P<n>{_MANY})(?P<unit>{_UNIT})|(?P<room>{_ROOM})")
_DOOR = re.compile(f"(?:{_MANY}(?:{_UNIT})|{_ROOM}){{2,6}}")
_UNITS = {"楼": "号楼", "栋": "号楼", "幢": "号楼", "座": "号楼", "门": "单元", "户": "室",
          "房": "室", "号": "室"}  # fmt: skip
_DIGIT = {sign: n for n, signs in enumerate(("零〇○", "一幺", "二两", "三", "四", "五", "六", "七",
                                             "八", "九")) for sign in signs}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Veil:
    """What must not be read of one order: words, and parts of addresses (number and unit)."""

    words: tuple[str, ...] = ()
    home: frozenset[tuple[int, str]] = field(default_factory=frozenset)

    def over(self, text: str) -> str:
        """``text`` without them, and without any name that is said or long number there is."""
        text = _LIVES.sub(lambda found: found[0].replace(found["place"], MARK), text)
        text = _DOOR.sub(self._door, text) if self.home else text
        for word in self.words:
            text = text.replace(word, MARK)
        text = _SAYS_NAME.sub(lambda found: f"{found['cue']}{MARK}", text)
        return _NUMBER.sub(lambda found: found[0] if _ORDER.fullmatch(found[0]) else MARK, text)

    def _door(self, found: re.Match[str]) -> str:
        """The building stays, the reporter's own door does not."""
        parts = list(_PART.finditer(found[0]))
        theirs = len(parts) >= 2 and all(_named(part) in self.home for part in parts)
        return found[0][: parts[0].end()] + MARK if theirs else found[0]


def veil_of(fields: Mapping[str, str]) -> Veil:
    """What an order with ``fields`` (values by name) must not tell where its reporter is secret."""
    words = {fields[name] for name in ("phone", "contact", "second_phone", "id_number")
             if len(fields.get(name, "")) >= 5}  # fmt: skip
    words |= _names(fields.get("name", ""), fields.get("against", ""))
    home: set[tuple[int, str]] = set()
    for name in ("what", "summary", "title"):
        for lives in _LIVES.finditer(fields.get(name, "")):
            parts = [_named(part) for part in _PART.finditer(lives["place"])]
            home |= set(parts) if len(parts) >= 2 else set()
    return Veil(tuple(sorted(words, key=len, reverse=True)), frozenset(home))


def _names(name: str, against: str) -> set[str]:
    """A name, and how somebody of that surname is spoken of, but for whom they complain of."""
    bare = _ADDRESSED.sub("", name.strip())
    if not bare:
        return set()
    surname = next((one for one in _COMPOUND if bare.startswith(one)), bare[0])
    spoken = {f"{surname}{title}" for title in _TITLES.split("|")} | {f"姓{surname}"}
    spoken = {one for one in spoken if one not in against}
    return spoken | ({bare} if len(bare) >= 2 else set())


def _named(part: re.Match[str]) -> tuple[int, str]:
    """A part of an address as a number and what it counts: 九号楼 and 9号楼 are one."""
    if part["room"]:
        return _value(part["room"]), "室"
    return _value(part["n"]), _UNITS.get(part["unit"], part["unit"])


def _value(numeral: str) -> int:
    """十二 is 12, 五零一 is 501, 301 is itself."""
    if numeral.isdecimal() and numeral.isascii():
        return int(numeral[:9])
    total, last = 0, 0
    for sign in numeral:
        if sign in "十百":
            total, last = total + max(last, 1) * (10 if sign == "十" else 100), 0
        else:
            digit = int(sign) if sign.isascii() else _DIGIT[sign]
            last = last * 10 + digit if "十" not in numeral and "百" not in numeral else digit
    return total + last
