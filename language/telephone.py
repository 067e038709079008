"""Telephone and identity numbers as they are spoken or typed.

Rasa's old environment may load this module: standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations

from language.corrections import corrected
from language.normal import clean

# 洞 拐 勾 are the radio operator's 0 7 9; 要 妖 腰 夭 are 幺 misheard: digits only inside a run.
_DIGITS = {
    **{c: str(i) for i, c in enumerate("零一二三四五六七八九")},
    "〇": "0", "○": "0", "O": "0", "o": "0", "洞": "0", "幺": "1", "要": "1", "妖": "1", "腰": "1",
    "夭": "1", "两": "2", "拐": "7", "勾": "9",
}  # fmt: skip
_LOOSE = "要妖腰夭两洞拐勾Oo"
_D = "0-9" + "".join(_DIGITS)
_PAUSE = r"[\s，,。.、…\-—–_()（）杠嗯呃啊加]|然后|那个|横杠|转"
_TIMES = re.compile(rf"([二两三四五六七八2-8])个([{_D}])")
_RUN = re.compile(rf"[{_D}](?:(?:{_PAUSE}){{0,6}}[{_D}])*")
_GROUP = re.compile(rf"[{_D}]+")
# The last four of a number told as a round one: 幺三八，零零一三，八千.
_THOUSANDS = re.compile(
    rf"(?<=[{_D}\s，,。.、…是])(?P<n>[一二两三四五六七八九2-9])千(?![百块元{_D}多几来人个])"
)
_COUNTED = re.compile(
    r"\s?(?:号(?!码)|楼|单元|栋|幢|室|点|月|年|天|岁|块|元|个|"
    r"层|门|路|人|十|百|千|万)"
)
_TAIL_CUE = re.compile(r"尾号|末尾|后面|最后|后四位|后几位|结尾")

_AROUND_DIGITS = re.compile(
    r"不对|不是|[说讲念报记]?错了|应该是?|接着|后面|前面|然后|最后|中间|还有|"
    r"我的?|你|您|电话|手机|号码?|是|就|记一?下"
)
_BESIDE_DIGITS = re.compile(r"[的吧呢哈哦好对了？?！!]+")

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d\d)\d{7,8}")
_SERVICE = re.compile(r"[48]00\d{7}")
_COUNTRY = re.compile(r"(?:00)?86(?=1[3-9]\d{9}$)")
_PHONE_MOST = 16
_ID = re.compile(r"[1-9]\d{16}[0-9X]")
_ID_RUN = re.compile(
    rf"[{_D}](?:(?:{_PAUSE}){{0,6}}[{_D}]){{16}}(?:{_PAUSE}){{0,6}}"
    r"(?:[Xx叉]|艾克斯|[0-9零〇一二三四五六七八九幺要])"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def phone(text: str) -> str | None:
    """The first telephone number in ``text``, digits only: a mobile number (11 digits) or a
    landline with its area code.

    Understands 幺 (also heard as 要), pauses, 杠, 四个零, +86, and corrections: 不对，是…, or
    不对，后面是… for the last digits only.
    """
    text = _THOUSANDS.sub(lambda m: f"{m['n']}000", _spelled_out(clean(text)))
    earlier, later = corrected(text)
    found = next(_phones(later), None)
    if found or not earlier:
        return found
    return _mended(earlier, later) or next(_phones(earlier), None)


def phones(text: str) -> tuple[str, ...]:
    """Every telephone number in ``text``, in order, digits only; corrections are not minded."""
    text = _THOUSANDS.sub(lambda m: f"{m['n']}000", _spelled_out(clean(text)))
    return tuple(dict.fromkeys(_phones(text)))


def phone_part(text: str) -> str:
    """The digits of ``text`` where it tells nothing but a part of a number, else ''.

    For one that is told in several turns; what it puts right of an earlier part is in it too.
    """
    text = _THOUSANDS.sub(lambda m: f"{m['n']}000", f"，{_spelled_out(clean(text))}")
    if _BESIDE_DIGITS.sub("", re.sub(rf"[{_D}]|{_PAUSE}", "", _AROUND_DIGITS.sub("", text))):
        return ""
    return _to_digits("".join(_GROUP.findall(_AROUND_DIGITS.sub("", text))))


def id_number(text: str) -> str | None:
    """The citizen identity number in ``text``: 18 signs whose date and check digit are right
    (GB 11643-1999), else None.
    """
    text = _spelled_out(clean(text))
    earlier, later = corrected(text)
    for part in (later, earlier):
        for match in _ID_RUN.finditer(part):
            number = _to_digits(match.group())
            if _ID.fullmatch(number) and _id_date(number) and _id_check(number):
                return number
    return None


def group_phone(number: str) -> str:
    """``number`` in the groups it is read in: 138-0013-8000, 010-6655-4433, 0475-823-1234."""
    return "-".join(_groups(number))


def spoken_phone(number: str) -> str:
    """``number`` for the ear, with 幺 and a pause between groups: 幺三八，零零幺三，八零零零."""
    return "，".join(spoken_digits(group) for group in _groups(number))


def spoken_digits(digits: str) -> str:
    """Each digit by its name, 1 as 幺; other signs stay."""
    return digits.translate(_SPOKEN)


_SPOKEN = {ord(str(i)): name for i, name in enumerate("零幺二三四五六七八九")}


def _groups(number: str) -> list[str]:
    digits = re.sub(r"\D", "", number)
    if _MOBILE.fullmatch(digits):
        return [digits[:3], digits[3:7], digits[7:]]
    if _LANDLINE.fullmatch(digits):
        area = 3 if digits[1] in "12" else 4
        rest = digits[area:]
        return [digits[:area], rest[:-4], rest[-4:]]
    if len(digits) <= 5:
        return [digits]
    if _SERVICE.fullmatch(digits):
        return [digits[:3], digits[3:6], digits[6:]]
    head = len(digits) % 4 or 4
    return [digits[:head], *(digits[i : i + 4] for i in range(head, len(digits), 4))]


def _spelled_out(text: str) -> str:
    """四个零 becomes 零零零零."""
    return _TIMES.sub(lambda m: m[2] * int(_DIGITS.get(m[1], m[1])), text)


def _to_digits(text: str) -> str:
    text = text.replace("艾克斯", "X").replace("叉", "X").replace("x", "X")
    return "".join(
        c if c in "0123456789X" else _DIGITS[c] for c in text if c in "X0123456789" or c in _DIGITS
    )


def _runs(text: str) -> Iterator[list[str]]:
    """Digit runs as groups (the pauses part them), without what counts something at their
    end: of 13800138000，3号楼 and 13800138000三号楼 only the number.
    """
    for run in _RUN.finditer(text):
        *groups, last = _GROUP.findall(run.group())
        if not _COUNTED.match(text, run.end()):
            yield [*groups, last]
            continue
        if groups:
            yield groups
        yield from ([*groups, last[:-n]] for n in (1, 2) if len(last) > n)


def _phones(text: str) -> Iterator[str]:
    for groups in _runs(text):
        for digits in _readings(groups):
            number = _COUNTRY.sub("", digits)
            if _MOBILE.fullmatch(number) or _LANDLINE.fullmatch(number):
                yield number
                break


def _readings(groups: list[str]) -> Iterator[str]:
    """All of the run; without a 要 or 两 that may be a word at its ends; then parts of it."""
    if len(groups) > _PHONE_MOST:
        groups = groups[:_PHONE_MOST]
    whole = "".join(groups)
    trimmed = (whole, whole.lstrip(_LOOSE), whole.rstrip(_LOOSE), whole.strip(_LOOSE))
    for reading in trimmed:
        if len(reading) <= _PHONE_MOST:
            yield _to_digits(reading)
    for start, end in combinations(range(len(groups) + 1), 2):
        part = "".join(groups[start:end])
        if (start, end) != (0, len(groups)) and len(part) <= _PHONE_MOST:
            yield _to_digits(part)
            yield _to_digits(part.strip(_LOOSE))


def _mended(earlier: str, later: str) -> str | None:
    """``earlier``'s number with the digits ``later`` corrects put in from the right."""
    before = [_to_digits("".join(g)) for g in _runs(earlier)]
    after = next(iter(_runs(later)), None)
    if not before or not after:
        return None
    number, new = before[-1], _to_digits("".join(after))
    first = len(_to_digits(after[0]))
    candidates = [number[: -len(new)] + new, number[:-first] + new]
    if _TAIL_CUE.search(later):
        candidates = candidates[:1]
    for candidate in candidates:
        if _MOBILE.fullmatch(candidate) or _LANDLINE.fullmatch(candidate):
            return candidate
    return None


def _id_date(number: str) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return born.year >= 1880


def _id_check(number: str) -> bool:
    total = sum(w * int(d) for w, d in zip(_ID_WEIGHTS, number[:17], strict=True))
    return _ID_CHECK[total % 11] == number[17]
