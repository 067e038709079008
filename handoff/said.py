"""What the rules that read a citizen's words share: what was said, and what was found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from config.city import City

SHORT_ANSWER = 30
"""Characters; an answer up to this long is kept whole as a place or a time."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A field's value, the words it was taken from, and the rule that took it."""

    value: str
    quote: str
    rule: str


@dataclass(frozen=True, slots=True)
class Said:
    """A cleaned turn; ``asked``: it answers the question for just this field."""

    text: str
    now: datetime
    city: City
    asked: bool


OPENING = re.compile(
    r"^(?:(?:你好|您好|喂|哎|同志|师傅|请问|那个|嗯|呃|是这样的?|是这么回事|事情是这样的?|"
    r"我跟你[说讲]|我说|啊|呀|吧|[，,。.、 ])+"
    r"|(?:我|我们|俺)?(?:就是)?(?:今天)?(?:想|要|得|来|打电话)*(?:跟|和|向|给)?(?:你们|你|您|政府|领导)?"
    r"(?:投诉|反映|反应|举报|检举|说|提|问|求助|建议|报|咨询|讲)(?:一下儿?|下儿?|说|说说|个|一个|一件|点儿?|些|两个)*"
    r"(?:事儿?|事情|问题|情况|意见|建议|投诉|纠纷)?(?:[啊呀吧，,。.、：: ]|就是|是这样的?)*)+"
)
QUESTION = re.compile(r"[吗？?]|什么|怎么|哪|谁|不知道|不清楚|多少")
