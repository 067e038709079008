"""Where a speaker takes something back: 三千，不对，是五千."""

from __future__ import annotations

import re

_CORRECTION = re.compile(
    r"(?<=[0-9零一二三四五六七八九幺])(?:不对|错了|说错了)[，,。.、 ]*(?:应该)?是?|"
    r"(?:不对|不是|错了|错啦|更正一下|更正|哦不|啊不)[，,。.、 ]*(?:应该)?是|"
    r"(?<!是)不是[^，,。不是]{1,30}[，,]? ?(?:而|应该)?是(?!不)|"
    r"(?:^|[，,。.、 ])(?:不对|不是|不|[说讲念报记]?错了|哦不|啊不)(?:不对)?[，,。.、 ]"
)


def corrected(text: str) -> tuple[str, str]:
    """``text`` before and after its last correction (不对，是…); ('', text) without one."""
    found = list(_CORRECTION.finditer(text))
    return (text[: found[-1].start()], text[found[-1].end() :]) if found else ("", text)
