"""Where a long text may be cut: behind a sentence, else a clause, else between characters. Pure."""

from __future__ import annotations

import re
import unicodedata

from chat.wechat.messages import size

_SENTENCE = re.compile("[。！？!?；;…]+[”’」』）)】》\"']*\\s*|\n\\s*")
_CLAUSE = re.compile("[，、,：:]\\s*|[ \t]+")
_LINK = re.compile(
    r"https?://[^\s<>\"'，。；！？、（）【】《》「」]+|<a\s[^>]{1,500}>[^<]{0,300}</a>"
)
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}
_LEAST = 0.4
"""A cut that leaves more of the room empty than the rest of this is not worth its neat end."""


def links(text: str) -> tuple[str, ...]:
    """The addresses that stand in ``text``."""
    return tuple(found for found in _LINK.findall(text) if found.startswith("http"))


def cut(text: str, room: int) -> int:
    """How many characters of ``text`` to send where ``room`` bytes are left; 0: none fits well.

    All of it where it fits. No address is cut in two, and no character that is made of several.
    """
    if size(text) <= room:
        return len(text)
    most = _fitting(text, room)
    spans = [found.span() for found in _LINK.finditer(text[: most + 2000])]
    for pattern in (_SENTENCE, _CLAUSE):
        ends = (found.end() for found in pattern.finditer(text, 0, most))
        whole = (end for end in ends if not _inside(end, spans))
        good = [end for end in whole if size(text[:end]) >= room * _LEAST]
        if good:
            return good[-1]
    return _whole_characters(text, most, spans)


def cut_anywhere(text: str, room: int) -> int:
    """As :func:`cut`, but at least one character: an address longer than a message is cut too."""
    return cut(text, room) or max(_whole_characters(text, _fitting(text, room), []), 1)


def _fitting(text: str, room: int) -> int:
    """The most characters of ``text`` whose UTF-8 fits into ``room`` bytes."""
    used = 0
    for index, character in enumerate(text):
        used += size(character)
        if used > room:
            return index
    return len(text)


def _whole_characters(text: str, at: int, spans: list[tuple[int, int]]) -> int:
    """The last place up to ``at`` that is neither inside an address nor inside a character."""
    at = next((start for start, end in spans if start < at < end), at)
    while 0 < at < len(text) and _sticks(text[at - 1], text[at]):
        at -= 1
    return at


def _sticks(before: str, after: str) -> bool:
    """Whether ``after`` is a part of the character that ``before`` is, or begins."""
    flag = "\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff"
    tone = "\U0001f3fb" <= after <= "\U0001f3ff"
    return (
        flag
        or tone
        or after in _JOINERS
        or before == "\u200d"
        or bool(unicodedata.combining(after))
    )


def _inside(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < at < end for start, end in spans)
