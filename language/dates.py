"""When it happened, as complaints tell it: 昨天晚上, 上礼拜三晚上, 这半个月, 每天夜里十一点以后."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from language.clock import CLOCK, Span, clock_span
from language.doors import is_house_number, is_road_name
from language.holidays import warm
from language.lasting import Period, lasting, unnamed
from language.normal import clean
from language.when import DAY, day_span, midnight

__all__ = ["Period", "period", "warm"]

_GLUE = re.compile(r"[的，,\s]?(?:大概|大约|差不多|是)?")
_EVERY = re.compile(
    r"(?:每到|一到)(?=夜|晚|半夜|凌晨|周末|星期|礼拜|早上)|每天|每日|天天|每晚|每到|"
    r"每个?(?:周|星期|礼拜)[一二三四五六日天末]?|"
    r"每个月(?![0-9一二两三四五六七八九])|每逢|成天|整天|一天到晚|经常(?=半夜|夜里|晚上|凌晨)|老是(?=半夜|"
    r"夜里|晚上|凌晨)"
)
_FROM = re.compile(r"(?:从|自打|打从|自从|自|打)(?!电话|不|来水|我|他|你)")
_SINCE = re.compile(r"[的]?(?:就)?(?:开始|起|以来|至今|到现在|到今天|一直)")
_UNTIL_NOW = re.compile(r"(?:[一]?直)?(?:到|至)(?:现在|今天|目前|今)")
_STILL = re.compile("就?(?:开始|起)(?!诉|码|床|步|点)|[到至](?:现在|目前|今)")
_TO = re.compile(
    r"(?:就?开始[，,]?)?\s?(?:(?:一直)?[\u4e00-\u9fff]?(?:到|至)|[-~～—–])\s?(?!现在|今$|"
    r"目前|处)"
)
_AFTER = re.compile(r"(?:以后|之后|过后|后)(?!天|面|来)")
_AGO = re.compile(r"(?:之|以)?前(?!面|后|台|边|天)")


def period(text: str, now: datetime) -> Period | None:
    """The time ``text`` speaks of, seen from ``now`` (aware), else None.

    A day without a year is the last one that was, unless it is less than a month ahead.
    """
    text = clean(text)
    open_end = "日起）" in text
    text = _WORKED_OUT.sub("", text) or text
    found = _since(text, now) or _every(text, now) or _first(text, now)
    if found is None:
        return None
    found = _refined(found, text, now)
    return replace(found, to=None) if open_end else found


_WORKED_OUT = re.compile(
    r"（[^（）]*年[^（）]*月[^（）]*日[^（）]*）"
)  # what handoff adds for the eye


def _refined(found: Period, text: str, now: datetime) -> Period:
    """``found`` with what is told elsewhere: 半夜 of yesterday, 每天夜里 since last week."""
    at = text.find(found.text)
    rest = f"{text[:at]}，{text[at + len(found.text) :]}" if at >= 0 else text
    if found.recurring and found.from_ is None and (one := _single_day(rest, now)):
        return _since(one, now) or _first(one, now) or found
    if found.recurring:
        begun = _since(rest, now) or _first(rest, now)
        if begun is None or begun.from_ is None or begun.to is not None:
            return found
        return Period(begun.from_, None, f"{begun.text}{found.text}")
    if not _is_hour(found.text):
        return found
    every = _every(rest, now)
    if every and every.from_ is None:
        return _every(f"{every.text}{found.text}", now) or found
    day = _single_day(rest, now)
    if day is None:
        return found
    whole = _since(day + found.text, now) or _first(day + found.text, now)
    return whole or found


def _is_hour(said: str) -> bool:
    """Whether ``said`` names an hour or a part of the day and no day."""
    clock = CLOCK.match(said)
    return bool(clock and _is_clock(clock, said)) and not DAY.match(said)


def _single_day(text: str, now: datetime) -> str | None:
    """The words of the first day (no week, no month) in ``text``; with 从 when it began then."""
    for at in range(len(text)):
        day = _day(text, at)
        span = day_span(day, now) if day else None
        if day and span and span.start <= now:
            begun = _SINCE.match(text, day.end()) or _STILL.match(text, day.end())
            one = span.end - span.start <= timedelta(days=1)
            return f"从{day.group()}开始" if begun else day.group() if one else None
    return None


@dataclass(frozen=True, slots=True)
class _Found:
    span: Span
    start: int
    end: int
    open_end: bool = False


def _since(text: str, now: datetime) -> Period | None:
    for lead in _FROM.finditer(text):
        found = _at(text, lead.end(), now)
        if not found:
            continue
        ranged = _ranged(text, found, now)
        if ranged.end != found.end:
            return Period(ranged.span.start, ranged.span.end, text[lead.start() : ranged.end])
        tail = _SINCE.match(text, found.end) or _UNTIL_NOW.match(text, found.end)
        end = tail.end() if tail else found.end
        return Period(found.span.start, None, text[lead.start() : end])
    return None


def _every(text: str, now: datetime) -> Period | None:
    lead = _EVERY.search(text)
    if not lead:
        return None
    at = _after_glue(text, lead.end())
    # 每晚 and 每周三 carry their own hour or day.
    own = (
        1
        if lead.group() == "每晚"
        or (lead.group()[-1] in "一二三四五六日天末" and "每天" not in lead.group())
        else 0
    )
    begin = lead.start() + 1 if own and lead.group() != "天天" else at
    found = _at(text, begin, now) or _at(text, at, now)
    if not found:
        return Period(None, None, lead.group(), recurring=True)
    found = _ranged(text, found, now)
    span = found.span
    if span.start > now:
        span = Span(span.start - timedelta(days=1), span.end - timedelta(days=1))
    end = None if found.open_end else span.end
    return Period(span.start, end, text[lead.start() : found.end], recurring=True)


def _first(text: str, now: datetime) -> Period | None:
    vague: Period | None = None
    for at in range(len(text)):
        found = _at(text, at, now)
        if found:
            found = _ranged(text, found, now)
            open_end = found.open_end or bool(_STILL.search(text, found.end))
            return Period(
                found.span.start,
                None if open_end else found.span.end,
                text[found.start : found.end],
            )
        spoken = lasting(text, at, now) or unnamed(text, at, now)
        if spoken and spoken.from_ and spoken.text not in ("现在", "目前", "眼下"):
            return spoken
        vague = vague if vague and (vague.from_ or not spoken or not spoken.from_) else spoken
    return vague


def _at(text: str, at: int, now: datetime) -> _Found | None:
    """A day, a day with an hour, or an hour of today, that begins at ``at``."""
    day = _day(text, at)
    span = day_span(day, now) if day else None
    if day and span and day["holiday"] and (before := _AGO.match(text, day.end())):
        week = Span(span.start - timedelta(weeks=1), span.start)
        return _Found(week, at, before.end())
    if day and span:
        return _with_clock(text, day.start(), _Found(span, at, day.end()))
    clock = CLOCK.match(text, at)
    if not clock or not _is_clock(clock, text):
        return None
    hours = clock_span(clock, midnight(now))
    if not hours:
        return None
    if hours.start > now and not text.startswith("今", max(0, at - 2)):
        hours = Span(hours.start - timedelta(days=1), hours.end - timedelta(days=1))
    return _opened(text, _Found(hours, at, clock.end()))


def _day(text: str, at: int) -> re.Match[str] | None:
    """A day that begins at ``at``; 八号 of 幸福路八号 is none, nor is 五一 of 五一路."""
    day = DAY.match(text, at)
    if day and day["num"] and is_house_number(text, day.start(), day.end()):
        return None
    if day and day["holiday"] and is_road_name(text, day.end()):
        return None
    return day


def _is_clock(clock: re.Match[str], text: str) -> bool:
    """A lone 早, 晚, 夜 or 一点 is a word, not a time."""
    if clock["hour"] == "一" and not clock["daypart"] and not clock["minute"]:
        return text[clock.end() - 1 : clock.end()] == "钟"
    return bool(clock["hour"] or clock["hh"]) or len(clock["daypart"] or "") > 1


def _with_clock(text: str, start: int, found: _Found) -> _Found:
    clock = CLOCK.match(text, _after_glue(text, found.end))
    if not clock or not (clock["daypart"] or clock["hour"] or clock["hh"]):
        return _opened(text, found)
    day = found.span.start
    later = CLOCK.match(text, clock.end())
    if later and later["daypart"] and later["hour"] and not clock["hour"]:  # 昨晚凌晨三点
        clock, day = later, day + timedelta(days=later["daypart"] in ("凌晨", "后半夜"))
    hours = clock_span(clock, day)
    return _opened(text, _Found(hours, start, clock.end())) if hours else found


def _opened(text: str, found: _Found) -> _Found:
    after = _AFTER.match(text, found.end)
    return _Found(found.span, found.start, after.end(), open_end=True) if after else found


def _ranged(text: str, found: _Found, now: datetime) -> _Found:
    """``found`` prolonged to the other end of 到: 晚上十点到凌晨两点, 3月5号到8号."""
    to = _TO.match(text, found.end)
    if not to or found.open_end:
        return found
    clock = CLOCK.match(text, to.end())
    day = _day(text, to.end())
    if day and (
        span := day_span(day, found.span.start + timedelta(days=28) if day["num"] else now)
    ):
        end, at = span.end, day.end()
        if end <= found.span.start and day["week"]:
            end += timedelta(weeks=1)
    elif (
        clock and _is_clock(clock, text) and (span := clock_span(clock, midnight(found.span.start)))
    ):
        end, at = span.start, clock.end()
        if end <= found.span.start:
            end += timedelta(
                hours=12
                if not clock["daypart"]
                and end.hour < 12
                and end + timedelta(hours=12) > found.span.start
                else 24
            )
    else:
        return found
    return _Found(Span(found.span.start, end), found.start, at) if end > found.span.start else found


def _after_glue(text: str, at: int) -> int:
    glue = _GLUE.match(text, at)
    return glue.end() if glue else at
