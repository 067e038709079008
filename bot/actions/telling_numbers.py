"""A telephone number that is told in parts, or put right in part. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from language.telephone import phone, phone_part

_BROKEN_OFF = 8  # digits, at most, of a number of which the rest is still to come
_CORRECTED = 15  # the same, with digits among them that others take the place of
_LEAST_PART, _WHOLE = 3, 11  # digits of what may be a part, and of a mobile number
_ENDING = re.compile("尾号|末尾|后面|最后|后[0-9一二两三四五六]位")
_NUMBER_IS = re.compile("^.*(?:电话|手机|号码|号)(?:应该)?是?[：:，, ]*")


@dataclass(frozen=True, slots=True)
class Part:
    """The words that told a part of a number, and its digits."""

    words: str
    digits: str


def begun(digits: str, *, put_right: bool) -> bool:
    """Whether more may come: a number short by one or two was misheard, not broken off."""
    return digits[:1] in ("0", "1") and len(digits) <= (_CORRECTED if put_right else _BROKEN_OFF)


def with_ending(before: str, text: str) -> str:
    """``before`` with the last digits that ``text`` puts right (后四位是8001); '' for none."""
    if not _ENDING.search(text):
        return ""
    mended = phone(f"{before}，不对，最后是{phone_part(_ENDING.sub('', text))}")
    return mended if mended and mended != before else ""


def not_whole(text: str) -> Part | None:
    """The beginning of a number that ``text`` tells instead of a whole one."""
    words = _NUMBER_IS.sub("", text)
    digits = phone_part(words)
    short = _LEAST_PART <= len(digits) < _WHOLE and digits[:1] in ("0", "1")
    return Part(words, digits) if short and not phone(text) else None
