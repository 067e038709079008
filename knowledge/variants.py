"""A golden question as a citizen really says or types it: fillers, no punctuation, misheard. Pure.

The same question always gets the same variants.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

from knowledge.measure import homophones
from language.normal import bare

SHARE = 0.15
"""Of the characters, how many are misheard."""
_SEED = 12345
_SPOKEN = (
    "嗯，{}", "呃那个{}", "喂，你好，{}", "你好，我想问一下，{}", "请问{}", "那个我想问一下{}啊",
    "同志，{}", "麻烦问一下，{}，谢谢", "{}啊", "哎，{}呀", "就是说，{}", "您好，{}谢谢您",
)  # fmt: skip


def variants(question: str) -> Mapping[str, str]:
    """Kinds of noise → the question with it: ``spoken``, ``unmarked``, ``misheard``."""
    return MappingProxyType({
        "spoken": _spoken(question),
        "unmarked": bare(question) or question,
        "misheard": homophones(question, SHARE, _SEED),
    })  # fmt: skip


def _spoken(question: str) -> str:
    chance = random.Random(f"{_SEED}:{question}")  # noqa: S311 - repeatable noise, no secret
    return chance.choice(_SPOKEN).format(question)
