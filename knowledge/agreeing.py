"""Whether an answer's text and what is said of it on the telephone agree. Pure.

What is found here warns and never blocks: an editor or approver has to have seen it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from knowledge.editing import Fault, Wording
from language.normal import clean
from language.numerals import DIGITS, NUMERAL, UNITS, digit_string, value
from language.speakable import speakable

_NUMERAL = re.compile(NUMERAL)
_SHARE = re.compile("[百千]分之")
_POINT = re.compile("[.:点：．]")
_CLOCK = re.compile(r"(?<![0-9])(1[3-9]|2[0-3])[:：时点]")
_NO_FIGURE = re.compile(
    "十分(?![钟之])|十足|百姓|三者|四周|五官|万一|千万(?!元)|两者|三令五申|[星期周][一二三四五六]"
)
_SMALLEST = 2
"""一 counts nothing in 一般, 统一, 一张: too common a word to be compared."""
_BOTH = re.compile("两(?!年|个月|天|周|[个]?小时|元|块|次|[百千万亿]|个工作日|星期|寸)")
"""两 that counts nothing to be compared: 两口子, 两边, 两个人."""
_TELEPHONE = re.compile("[0-9]{5}")
_PHONE_DIGITS = 5


def disagreements(wording: Wording, published: Wording | None) -> tuple[Fault, ...]:
    """Why the telephone may say something else than the text.

    Codes ``speech_left`` (the text differs from what is published, the words for the telephone are
    still those) and ``figures_differ`` (a number is spoken that the text does not have). Empty
    where ``speech`` is: then the text itself is read out.
    """
    if not clean(wording.speech):
        return ()
    return (*_left(wording, published), *_figures(wording))


def unwritten(text: str, speech: str) -> tuple[str, ...]:
    """Numbers that stand in ``speech`` and not in ``text``, as they are written there."""
    known = _known(clean(text))
    digits = re.sub("[^0-9]", "", clean(text))
    found = (
        said
        for said, number in _numbers(_POINT.sub(" ", _prepared(speech)))
        if number >= _SMALLEST
        and number not in known
        and not _part(said, digits)
        and not (_is_telephone(said) and not _TELEPHONE.search(text))
    )
    return tuple(dict.fromkeys(found))


def _left(wording: Wording, published: Wording | None) -> Iterator[Fault]:
    if published is None or clean(published.text) == clean(wording.text):
        return
    if clean(published.speech) == clean(wording.speech):
        yield Fault("speech", "speech_left", "文字改了，电话里说的没有改")


def _figures(wording: Wording) -> Iterator[Fault]:
    found = unwritten(wording.text, wording.speech)
    if found:
        named = "、".join(f"“{said}”" for said in found[:5])
        yield Fault(
            "speech", "figures_differ",
            f"文字和电话里的数字不一致：电话里说{named}，文字里没有",
        )  # fmt: skip


def _known(text: str) -> set[Decimal]:
    """Every number the text can be heard as: 1.3万 also as 1 and 3, 17:00 also as 5."""
    readings = (text, _POINT.sub(" ", text), _POINT.sub(" ", speakable(text)))
    known = {number for one in readings for _, number in _numbers(_SHARE.sub(" ", one))}
    return known | {Decimal(int(hour) - 12) for hour in _CLOCK.findall(text)}


def _prepared(speech: str) -> str:
    return _BOTH.sub(" ", _NO_FIGURE.sub(" ", _SHARE.sub(" ", clean(speech))))


def _numbers(text: str) -> Iterator[tuple[str, Decimal]]:
    for match in _NUMERAL.finditer(text):
        number = value(match.group())
        if number is not None:
            yield match.group(), number


def _is_telephone(said: str) -> bool:
    """One may be told by telephone where the text names none: 详情打幺二三四五."""
    return len(digit_string(said)) >= _PHONE_DIGITS


def _part(said: str, digits: str) -> bool:
    """A group of a telephone number, or an estimate (两三天), which is no number to compare."""
    plain = digit_string(said)
    if not plain:
        return False
    estimate = len(said) == 2 and all(sign in DIGITS and sign not in UNITS for sign in said)
    return estimate or (len(plain) >= 3 and plain in digits)
