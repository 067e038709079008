"""What an answer may look like: bounds even a draft keeps, and what publishing asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from knowledge.editing import AnswerKey, EditError, Fault, Place, Wording
from knowledge.files import SAMPLE_MARK
from language.normal import clean
from language.speakable import speakable
from turns.understood import ASPECTS

MAX_TEXT = 2000
MAX_SOURCE = 300
"""Characters."""
_LABELS = {"text": "答复", "speech": "电话里说的", "document": "依据文件", "article": "条款"}
_LIMITS = {"text": MAX_TEXT, "speech": MAX_TEXT, "document": MAX_SOURCE, "article": MAX_SOURCE}


def speech_of(wording: Wording) -> str:
    """What is said on the telephone: the editor's own words, else the text made speakable."""
    return wording.speech.strip() or speakable(wording.text)


def faults(wording: Wording, today: date) -> tuple[Fault, ...]:
    """Everything that keeps the wording from being published; ``today`` is the city's day."""
    return (*_bounds(wording), *_missing(wording), *_dates(wording, today), *_sample(wording))


def check_bounds(wording: Wording) -> None:
    """Raise ``wording_invalid`` for what even a draft may not hold."""
    _raise(tuple(_bounds(wording)))


def check_publishable(wording: Wording, today: date) -> None:
    """Raise ``wording_invalid`` for what cannot be published."""
    _raise(faults(wording, today))


def check_key(key: AnswerKey, place: Place) -> None:
    """Raise ``aspect_unknown`` or ``region_unknown``."""
    if key.aspect not in ASPECTS:
        named = "、".join(ASPECTS)
        raise EditError("aspect_unknown", f"没有方面“{key.aspect[:20]}”，可以是{named}")
    if key.region not in place.regions:
        raise EditError("region_unknown", f"没有地区“{key.region[:20]}”")


def _raise(found: tuple[Fault, ...]) -> None:
    if found:
        raise EditError(
            "wording_invalid", "；".join(fault.message for fault in found),
            faults=[{"field": f.field, "code": f.code, "message": f.message} for f in found],
        )  # fmt: skip


def _bounds(wording: Wording) -> Iterator[Fault]:
    for name, limit in _LIMITS.items():
        if len(getattr(wording, name)) > limit:
            yield Fault(name, "too_long", f"{_LABELS[name]}最长 {limit} 个字")


def _missing(wording: Wording) -> Iterator[Fault]:
    if not clean(wording.text):
        yield Fault("text", "missing", "还没有写答复")
    elif not clean(speech_of(wording)):
        yield Fault("speech", "unreadable", "答复里没有能念出来的字")
    if not clean(wording.document):
        yield Fault("document", "missing", "还没有写依据文件")


def _dates(wording: Wording, today: date) -> Iterator[Fault]:
    if wording.valid_to is None:
        return
    if wording.valid_to < wording.valid_from:
        yield Fault("valid_to", "dates_reversed", "失效日期早于生效日期")
    elif wording.valid_to < today:
        yield Fault("valid_to", "already_over", "失效日期已经过了")


def _sample(wording: Wording) -> Iterator[Fault]:
    marked = SAMPLE_MARK in wording.text or SAMPLE_MARK in wording.document
    if wording.sample and not marked:
        yield Fault("sample", "sample_unmarked", f"勾了示例数据，文字里要写明“{SAMPLE_MARK}”")
    if marked and not wording.sample:
        yield Fault("sample", "sample_unticked", f"文字里写着“{SAMPLE_MARK}”，要勾上示例数据")
