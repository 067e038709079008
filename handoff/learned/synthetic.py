"""Synthetic past orders (合成数据) from a city's classes: a seed makes the same ones again.

Nobody ever said them. They let the classifier be tried and tested before a city has orders of its
own; ``phrases.tsv`` beside this file holds what is wrong, this module how it is told.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PHRASES = Path(__file__).parent / "phrases.tsv"
SEED = 12345
ORDERS = 2600

_OPENINGS = (
    "", "", "", "你好，", "喂，你好，", "我想反映一下，", "我要投诉，", "麻烦问一下，",
    "同志你好，", "是这样的，", "我反映个事，", "帮我看看，", "打电话是想说，",
)  # fmt: skip
_PLACES = (
    "", "", "{n}号楼这边", "我们小区", "{name}小区", "{name}路上", "{name}路和{other}街交口",
    "{name}花园{n}栋", "{name}镇上", "{name}村", "我家附近", "{name}市场旁边", "学校门口",
    "单位旁边",
)  # fmt: skip
_NAMES = (
    "向阳",
    "和平",
    "新建",
    "长青",
    "东风",
    "永安",
    "丰泽",
    "松江",
    "银河",
    "福源",
    "康宁",
    "龙泉",
)
_TIMES = (
    "",
    "",
    "",
    "这几天",
    "从上个月开始",
    "都半年了",
    "昨天晚上",
    "一到夏天",
    "已经一个礼拜了",
    "今天早上",
    "反映过好几次了",
)
_ENDINGS = (
    "", "", "", "，希望赶紧处理", "，没人管", "，能不能来看看", "，影响休息", "，给个说法",
    "，太气人了", "，老人孩子都受不了", "，请帮忙解决", "，找谁都推", "，希望有关部门管管",
)  # fmt: skip


IDLE = (
    "嗯嗯好的", "好的谢谢", "谢谢你啊", "你好", "喂，听得见吗", "转人工", "找个人跟我说",
    "我要投诉", "我想反映个事", "我想咨询一下", "不知道", "不清楚", "没有了", "再见",
    "你是机器人吗", "等一下", "再说一遍", "今天天气真好", "你们几点下班", "我很生气", "太气人了",
    "你听我说", "怎么办啊", "对对对", "不对", "是的", "就这些", "麻烦你了", "我电话是这个",
    "我姓王", "明天再打", "没什么事", "打错了", "你说什么", "我听不清", "慢一点", "算了不说了",
    "帮我查一下", "有人吗", "行吧", "嗯", "啊", "这个那个就是说", "我跟你说",
)  # fmt: skip
"""What tells of nothing that could be classed."""


@dataclass(frozen=True, slots=True)
class Example:
    """What was told, and the class it was given."""

    text: str
    code: str


def read_phrases(path: Path = PHRASES) -> dict[str, tuple[str, ...]]:
    """What is wrong, by class; raises ValueError naming the line that is none."""
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        code, tab, said = line.partition("\t")
        if not tab or not said.strip():
            raise ValueError(f"{path.name}:{number}: expected code, tab and phrases")
        found[code] = tuple(filter(None, (part.strip() for part in said.split("；"))))
    return found


def orders(
    phrases: Mapping[str, tuple[str, ...]], count: int = ORDERS, seed: int = SEED
) -> Iterator[Example]:
    """``count`` past orders, every phrase about equally often."""
    chance = random.Random(seed)  # noqa: S311  # the same orders at every run, no secret
    cores = [(code, said) for code, told in sorted(phrases.items()) for said in told]
    while count > 0:
        chance.shuffle(cores)
        for code, said in cores[:count]:
            yield Example(_told(said, chance), code)
        count -= len(cores)


def _told(said: str, chance: random.Random) -> str:
    name, other = chance.sample(_NAMES, 2)
    place = chance.choice(_PLACES).format(n=chance.randint(1, 40), name=name, other=other)
    parts = [chance.choice(_OPENINGS), place, chance.choice(_TIMES), said, chance.choice(_ENDINGS)]
    if chance.random() < 0.3:
        parts[1], parts[2] = parts[2], parts[1]
    return "".join(parts)
