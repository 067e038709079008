"""How long somebody will wait, and how that is honestly told. Pure."""

from __future__ import annotations

import math

_STEPS_MIN = (1, 2, 3, 4, 5, 8, 10, 15, 20, 30)
LONGEST_S = 1800
"""Beyond this nobody is told minutes."""


def estimate_s(position: int, agents: int, free: int, handling_s: float) -> int | None:
    """What the one at ``position`` (from 1) will wait, s; None where nobody is there.

    With all of ``agents`` talking, one gets free every ``handling_s / agents`` on average (talks
    are taken for exponential: it does not matter how long they have lasted). ``free`` agents take
    the first ones at once.
    """
    if agents < 1:
        return None
    behind = position - free
    return round(max(0, behind) * handling_s / agents)


def mean_handling_s(times: list[float], usual_s: float, weight: int = 10) -> float:
    """The mean of ``times`` (s), leaning on ``usual_s`` as on ``weight`` talks of that length."""
    return (sum(times) + usual_s * weight) / (len(times) + weight)


def told(seconds: int | None) -> str:
    """In words for a citizen, rounded up: 不到 1 分钟, 约 2 分钟, 超过 30 分钟; '' for None."""
    if seconds is None:
        return ""
    if seconds > LONGEST_S:
        return f"超过 {LONGEST_S // 60} 分钟"
    minutes = next(step for step in _STEPS_MIN if math.ceil(seconds / 60) <= step)
    return "不到 1 分钟" if minutes == 1 else f"约 {minutes} 分钟"
