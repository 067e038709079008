"""WeChat's own emoji as they come in texts: ``/::)``, ``[微笑]``; and stickers. Pure.

They say something to a person, nothing to the dialogue, where they would only spoil the words
beside them. A lone thumb is a yes.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

UNSUPPORTED = re.compile(r"[【\[](?:收到)?不支持的消息(?:类型)?[^】\]]{0,20}[】\]]")
"""What comes as a text in place of a sticker, or of whatever else an account is not shown."""
_SHIPPED = [
    word
    for line in Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
]
_CODES = sorted((word for word in _SHIPPED if word[0] == "/"), key=len, reverse=True)
_NAMES = [word for word in _SHIPPED if word[0] != "/"]
_EMOJI = re.compile("|".join([*map(re.escape, _CODES), rf"\[(?:{'|'.join(_NAMES)})\]"]))
_YES = frozenset(("[OK]", "/:ok", "[强]", "/:strong", "[好的]", "👌", "👍"))
_NO = frozenset(("[NO]", "/:no", "[弱]", "/:weak", "👎"))
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}
YES = "好的"
NO = "不要"


def is_sticker(text: str) -> bool:
    """Whether ``text`` only stands in place of something that an account is not shown."""
    return UNSUPPORTED.fullmatch(text.strip()) is not None


def words(text: str) -> str:
    """``text`` without emoji; the word that a lone thumb says; '' where nothing is left."""
    bare = "".join(c for c in text.strip() if c not in _JOINERS and not _is_tone(c))
    if bare in _YES:
        return YES
    if bare in _NO:
        return NO
    left = _EMOJI.sub(" ", text)
    return left.strip() if any(map(_says_something, left)) else ""


def _is_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _says_something(character: str) -> bool:
    """Letters and digits do; symbols, emoji among them, and punctuation alone do not."""
    return unicodedata.category(character)[0] in "LN"
