"""How long it has lasted, and words that name no day: 已经两个月了, 三天前, 刚才, 这几天."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from language.when import LENGTH, length, midnight

_AGO = re.compile(r"(?:之|以)?前(?!面|后|台|边|天)")
_LASTING = re.compile(
    r"(?:已经|都|有|快|持续|连续|连着|一连|接连|整整|足足|拖|欠|停|等|坏|流|漏|响|堵|断|冒|吵|快要|没水|没电|不热)"
    r"(?:了|有|都|快)?(?:已经|快|有|将近|小|大)?$"
)
_DIGITS = "0123456789零一二两三四五六七八九十百"
_LACKS = re.compile("[都也了]{0,2}[没不][^，。]{0,3}")  # 三天没亮了, 两个月没发工资
_LATELY = re.compile(r"(?:最近|近|这|过去|前|头|近期)(?:的)?(?:小|大)?$")
_WORDS = re.compile(
    r"(?P<now>刚才|刚刚|刚(?=才|[停断倒漏出发])|这会儿|这时候|(?:现在|目前|眼下)(?=还|正|就|"
    r"停|没|又|$|，))|"
    r"(?P<few>(?:这|前|最近|近)(?:这)?(?:几|两|俩|些)(?:天|日|个?星期|"
    r"个?礼拜|周|个?月|年)|这(?:一)?段(?:时间|日子)|前(?:一)?(?:段时间|"
    r"阵子?|段日子)|最近|近期|近来|这阵子?|最近一段时间|"
    r"好几(?:天|个?月|个?星期|个?礼拜|年)|好些(?:天|日子|年))|"
    r"(?P<always>一直都?(?:是|有|在|没|这样)?|长期|常年|年前|很久|好久|老早|多年)"
)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time somebody spoke of, in the zone of ``now``.

    ``from_`` is None when the beginning was not told, ``to`` (in: its last second is before it)
    when it goes on. ``text`` is what was said. ``recurring``: every day or week; ``from_`` and
    ``to`` are then the latest such time.
    """

    from_: datetime | None
    to: datetime | None
    text: str
    recurring: bool = False


def lasting(text: str, at: int, now: datetime) -> Period | None:
    """已经两个月了, 这半个月, 三天前."""
    match = None if at and text[at - 1] in _DIGITS else LENGTH.match(text, at)
    span = length(match) if match else None
    if not match or span is None or span > timedelta(days=36500):
        return None
    before, start = text[max(0, at - 6) : at], now - span
    if before.endswith("第"):
        day = midnight(start) + timedelta(days=1)
        return Period(day, None, f"第{match.group()}") if match["unit"] == "天" else None
    ago = _AGO.match(text, match.end())
    if ago:
        day = midnight(start) if span >= timedelta(days=1) else start
        end = day + (timedelta(days=1) if span >= timedelta(days=1) else timedelta(0))
        return Period(day, end, text[at : ago.end()])
    if span >= timedelta(days=1):
        start = midnight(start)  # 停了两天了 says nothing of the hour
    lead = _LATELY.search(before) or _LASTING.search(before)
    if lead and lead.group().startswith("等") and span < timedelta(hours=12):
        return None  # how long they waited, not when
    if lead and lead.group().startswith("停了") and span < timedelta(hours=1):
        return None  # how long a car stood
    lacks = _LACKS.match(text, match.end())
    if lacks and not lead:
        return Period(start, None, text[at : lacks.end()])
    if lead or text[match.end() : match.end() + 1] == "了":
        begin = at - (len(before) - lead.start()) if lead else at
        end_at = match.end() + (text[match.end() : match.end() + 1] == "了")
        past = lead is not None and lead.group()[0] in "前头"
        return Period(start, now if past else None, text[begin:end_at])
    return None


def unnamed(text: str, at: int, now: datetime) -> Period | None:
    """刚才, 这几天, 一直 at ``at``: times that name neither day nor hour."""
    match = _WORDS.match(text, at)
    if not match:
        return None
    said = match.group()
    if match["now"]:
        gone = said in ("刚才", "刚刚")
        return Period(now - timedelta(minutes=30) if gone else now, now if gone else None, said)
    return Period(None, None, said)
