"""When it happened, in a citizen's words. Pure; the time is passed in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from handoff.said import SHORT_ANSWER, Extracted, Said
from language.dates import Period, period
from language.normal import without_fillers
from language.telling import labelled


def refined_when(old: str, new: str, *, now: datetime) -> Extracted | None:
    """``old`` (a time told before) with what ``new`` adds to it: 半夜 and 昨天 make 昨天半夜.

    None when ``new`` tells no time, or no part of it that was still open.
    """
    told, adds = _WORKED_OUT.sub("", old), period(new, now)
    if adds is None or adds.from_ is None:
        return None
    before = period(told, now) or period(old, now)
    if before is not None and _finer(before, adds, told):
        return Extracted(adds.text + _dated(adds, now), adds.text, "period_finer")
    if told in new:
        return None
    if before is not None and (hour := _hour_of(told, adds)):
        both = period(hour, now)
        if both is not None and both.text == hour:
            return Extracted(hour + _dated(both, now), adds.text, "period_joined")
    if before is not None and (alone := _tells_more(before, adds, told)):
        return Extracted(alone + _dated(adds, now), adds.text, "period_later")
    both = (
        period(f"{told}，{new if len(new) <= SHORT_ANSWER else adds.text}", now)
        if len(told) <= SHORT_ANSWER
        else None
    )
    if before is None or both is None or both.text == before.text:
        return None
    if before.from_ is None and not before.recurring:
        words = adds.text
    else:
        words = both.text if both.text != adds.text else adds.text + told
    return Extracted(words + _dated(both, now), adds.text, "period_joined")


_DAY_SAID = re.compile("[昨前今]|上(?:个?(?:周|星期|礼拜)|个?月)|[周号日]|星期|礼拜|月")
_PART = re.compile("凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|晚|夜里|半夜|深夜")


def _finer(before: Period, adds: Period, told: str) -> bool:
    """Whether a later time is a stretch of the one before: 昨天晚上十点 after 晚上, after 昨天."""
    if before.recurring or adds.recurring or adds.from_ is None or adds.to is None:
        return False
    day = _DAY_SAID.search(adds.text)
    if before.from_ is None or before.to is None:  # 最近; 停了两天 begins, and goes on
        return False
    shorter = adds.to - adds.from_ < before.to - before.from_
    if _DAY_SAID.search(told):
        inside = before.from_ <= adds.from_ and adds.to <= before.to
        return inside and shorter and bool(day or _PART.search(adds.text))
    hours = before.from_.hour, (before.to - timedelta(seconds=1)).hour
    same_part = (
        hours[0] <= adds.from_.hour <= hours[1]
        if hours[0] <= hours[1]
        else (adds.from_.hour >= hours[0] or adds.from_.hour <= hours[1])
    )
    return bool(day) and shorter and same_part


def _hour_of(told: str, adds: Period) -> str:
    """昨天晚上 and 十点多 are one time; '' for what are two."""
    parts = _PART.findall(told)
    bare = not _DAY_SAID.search(adds.text) and not _PART.search(adds.text)
    clock = re.match(
        "(?:大概|差不多|就)?(?P<at>[0-9零一二两三四五六七八九十]{1,3}(?:点|[:：]).*)", adds.text
    )
    ends = bool(parts) and told.endswith(parts[-1])
    return told + clock["at"] if bare and clock and ends and not re.search("每|天天", told) else ""


def _tells_more(before: Period, adds: Period, told: str) -> str:
    """The words of a later time that replaces the one before: a beginning, or day and hour."""
    begun = adds.to is None and not adds.recurring and adds.from_ is not None
    if begun and before.to is not None and before.from_ is not None and not before.recurring:
        return f"{adds.text}，{told}" if adds.from_ < before.from_ else ""  # type: ignore[operator]  # begun
    exact = adds.to is not None and not adds.recurring and re.search("[点时:：]", adds.text)
    day = re.search("[昨前今上周号日]", adds.text)
    return adds.text if exact and day and _CLOCK_ONLY.fullmatch(told.rstrip("的")) else ""


_WORKED_OUT = re.compile(r"（[^（）]*日[^（）]*）$")


def when_told(said: Said) -> Extracted | None:
    """The time that a turn tells, else None."""
    if label := labelled(said.text, "时间|日期"):
        told = period(label, said.now)
        if told is not None:
            return Extracted(label + _dated(told, said.now), label, "period_labelled")
    found = period(said.text, said.now)
    if found is None or (not said.asked and _VAGUE_TIME.fullmatch(found.text)):
        return None
    whole = said.asked and len(said.text) <= SHORT_ANSWER
    words = without_fillers(said.text) if whole else found.text
    again = period(words, said.now) if whole else found
    if again is None or again.from_ != found.from_:
        words = said.text  # 这个月五号: 这个 was no filler
    quote = words if words in said.text else said.text  # fillers inside: the words differ
    return Extracted(words + _dated(found, said.now), quote, "period")


_VAGUE_TIME = re.compile("一直.*|长期|常年|年前|很久|好久|老早|多年")  # a story's filler words
_CLOCK_ONLY = re.compile(
    r"从?(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜|大半夜|大晚上)?"
    r"(?:[0-9零一二两三四五六七八九十]+[点:：时].*)?"
)


def _dated(found: Period, now: datetime) -> str:
    """The days behind relative words, for whoever reads them later: （2026年11月9日起）."""
    if found.from_ is None or found.recurring:
        return ""
    if found.to is not None and _CLOCK_ONLY.fullmatch(found.text):
        return ""
    first = _day(found.from_, now)
    if found.to is None:
        return f"（{first}起）"
    last = _day(found.to - timedelta(seconds=1), now)
    return f"（{first}）" if first == last else f"（{first}至{last}）"


def _day(at: datetime, now: datetime) -> str:
    at = at.astimezone(now.tzinfo)
    return f"{at.year}年{at.month}月{at.day}日"


_MONTHS = re.compile(
    r"(?:从?(?:去年|今年|前年)?(?:[0-9一二三四五六七八九十]{1,3}月份?)"
    r"(?:(?:到|至|和|、|，|跟)(?:今年|去年)?(?:[0-9一二三四五六七八九十]{1,3}月份?|"
    r"现在|上个月|这个月))*"
    r"|(?:[0-9一二两三四五六七八九十半]+)(?:多)?个(?:多|半)?月|(?:大?半年|"
    r"[一二两三四五六七八九十]+年半?))"
)


def months_told(said: Said) -> Extracted | None:
    """Which months: what a question for wages asks."""
    found = _MONTHS.search(said.text)
    if found is None:
        return None if not said.asked else when_told(said)
    return Extracted(found.group(), found.group(), "months")
