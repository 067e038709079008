"""Text as it arrives, made clean; and a barer form of it for matching.

Rasa's old environment loads this module: standard library only.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 1000
"""The longest text kept, in characters."""

# NFKC would turn these into ASCII; they are what a Chinese reader expects to see.
_KEPT = "，。！？；：（）【】《》“”‘’、…～￥"
_SEGMENTS = re.compile(f"[^{_KEPT}]+")
_CLEAN = re.compile(f"[!-~{_KEPT}一-鿼]*")
"""Nothing in here is to be changed, and nearly all turns are of this: the short way."""
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_LINE_BREAK = re.compile(r"[ \t]*[\r\n\u2028\u2029]+\s*")
_SPACES = re.compile(r"\s+")
_CJK = "\u3400-\u9fff\uf900-\ufaff\u3001-\u3003\u3007-\u3011\uff01-\uff0f\uff1a-\uff1f\u201c-\u201d"
_SPACE_AT_CJK = re.compile(f"(?<=[{_CJK}]) +| +(?=[{_CJK}])")
_ENDS = "，。！？；：、…,.!?;:"
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_MARKS = re.compile(r"[^\w%]+|_+")
_INTERJECTION = re.compile(
    r"[嗯呃唔欸诶噢喔哦喂]+(?!呀)|"
    r"(?:^|(?<=[，。！？；、,.!?; ]))"
    r"(?:额+(?![度外头])|[啊哎唉嘛]+(?![呀哟])|那+个+(?!人)|这+个+(?!人)|"
    r"就是说|就是(?!这|那|不|没|因|为)|然后(?:呢)?|怎么说呢|反正)(?=\S)"
)
_TAIL = re.compile(r"(?:[啊呀呢嘛哈啦哎嗯呃]|是吧|对吧)+$")


def clean(text: str, limit: int = LIMIT) -> str:
    """``text`` fit to be kept and read: NFKC, no control or zero-width characters, at most
    ``limit`` characters.

    Chinese punctuation stays as it is. Spaces beside a Chinese character go (recognisers put
    them between words); line breaks become a comma. Never raises; '' when nothing is left.
    """
    if _CLEAN.fullmatch(text):
        return text[:limit]
    text = text[: 8 * limit]  # NFKC can lengthen, the rest only shortens
    text = _LINE_BREAK.sub("\n", text.strip())
    text = _VARIATION_SELECTORS.sub("", "".join(map(_printable, text)))
    text = _SEGMENTS.sub(lambda m: unicodedata.normalize("NFKC", m.group()), text)
    text = "".join(map(_printable, text))
    text = _SPACE_AT_CJK.sub("", _SPACES.sub(" ", _breaks_to_commas(text)))
    return text.strip()[:limit].rstrip()


def _printable(char: str) -> str:
    if char in "\n\t":
        return char
    return "" if unicodedata.category(char) in _UNPRINTABLE else char


def _breaks_to_commas(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    joined = ""
    for line in filter(None, lines):
        joined += line if not joined or joined[-1] in _ENDS else "，" + line
    return joined


def bare(text: str) -> str:
    """``text`` cleaned, lower case, without punctuation and spaces."""
    return _MARKS.sub("", clean(text).lower())


def without_fillers(text: str) -> str:
    """``text`` cleaned, without 嗯, 呃, a leading 那个 or 就是说 and closing particles.

    For matching only. Never empties a text: one made of fillers alone comes back cleaned.
    """
    cleaned = clean(text)
    shorter = cleaned
    for _ in range(4):  # a filler may hide behind another one: 那个就是说…
        shorter = _INTERJECTION.sub("", shorter)
    shorter = _TAIL.sub("", shorter)
    return shorter.strip(_ENDS + " ") or cleaned


def for_matching(text: str) -> str:
    """The barest form: no fillers, no punctuation, lower case; '' only if nothing can be read."""
    return bare(without_fillers(text)) or bare(text)
