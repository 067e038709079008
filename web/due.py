"""When an order must have moved on, in words: 还剩 2 小时, 超期 1 天. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

SOON = timedelta(hours=24)
"""What is due within this stands out."""
SIGNING = "派单"
"""The state in which the deadline is the one for signing."""
OPEN = ("受理", "派单", "签收", "办理", "退单", "争议审核")
"""The states in which something is still to be done against a deadline."""
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline: ``what`` must be done ``by``, and how that stands."""

    what: str
    by: datetime
    level: Literal["", "soon", "overdue"]
    words: str


def deadline(
    state: str,
    sign_by: datetime | None,
    due_at: datetime | None,
    extended_to: datetime | None,
    now: datetime,
) -> Due | None:
    """The deadline that counts now; None where the order has none any more."""
    if state not in OPEN:
        return None
    final = extended_to or due_at
    if state == SIGNING and sign_by is not None and (final is None or sign_by < final):
        return _due("签收", sign_by, now)
    return _due("办理", final, now) if final is not None else None


def _due(what: str, by: datetime, now: datetime) -> Due:
    left = by - now
    if left < timedelta(0):
        return Due(what, by, "overdue", f"超期 {span(-left)}")
    return Due(what, by, "soon" if left <= SOON else "", f"还剩 {span(left)}")


def span(length: timedelta) -> str:
    """How long, in the one unit that matters: 3 天, 5 小时, 12 分钟, 不到 1 分钟."""
    if length >= 2 * _DAY:
        return f"{length // _DAY} 天"
    if length >= _DAY:
        hours = (length - _DAY) // _HOUR
        return f"1 天 {hours} 小时" if hours else "1 天"
    if length >= _HOUR:
        return f"{length // _HOUR} 小时"
    return f"{length // _MINUTE} 分钟" if length >= _MINUTE else "不到 1 分钟"
