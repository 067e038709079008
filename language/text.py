"""Short forms of what was said: a title for a work order, sentences."""

from __future__ import annotations

import re

from language.normal import clean, without_fillers

_SENTENCE = re.compile(r"[^。！？!?；;]{1,1000}[。！？!?；;]{0,3}")
_POLITE = re.compile(
    r"^(?:(?:喂|你好|您好|你们好|哎|那个|麻烦|请|请问|打扰|一下|就是|"
    r"是这样的?|这样的?|我这边|我这儿|我想|我要|想要|想|我(?![们家爸妈的孩老儿女奶爷])"
    r"|要|来|"
    r"跟你们?|给你们?|向你们?|反映|反应|投诉|举报|咨询|问问?|说|说一下|"
    r"一个|个|一件|件|事儿?|情况|问题|[，,：: ])){1,12}"
)
_CLAUSE = re.compile("[，,、：:]")


def sentences(text: str) -> list[str]:
    """``text`` cut at full stops, each with its mark."""
    return [s.strip() for s in _SENTENCE.findall(clean(text)) if s.strip()]


def title(text: str, limit: int = 20) -> str:
    """What ``text`` is about, in at most ``limit`` characters: greetings and 我想反映 left out,
    cut where a clause ends; looks at the first three sentences.
    """
    told = [_essence(s) for s in sentences(text)[:3]]
    best = next((s for s in told if len(s) >= 4), None) or max(told, key=len, default="")
    best = best or clean(text)
    if len(best) <= limit:
        return best
    clauses = _CLAUSE.split(best)
    kept = clauses[0]
    for clause in clauses[1:]:
        if len(kept) + len(clause) + 1 > limit:
            break
        kept = f"{kept}，{clause}"
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _essence(sentence: str) -> str:
    short = without_fillers(sentence)
    return _POLITE.sub("", short).strip("。！？!?；;，, ")
