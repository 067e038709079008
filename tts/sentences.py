"""Long texts cut where a speaker takes breath, so that the first part is heard while the rest is
rendered, and so that a caller can have one part again.
"""

from __future__ import annotations

LONGEST = 30
"""Characters in one breath; a longer sentence is cut at a comma, where it has one."""
_MOST = 4 * LONGEST
"""A quotation or bracket that is not closed within so many characters does not hold a cut off."""
_PAUSE_S = 0.35
_BREATH_S = 0.15
_ENDS = "。！？!?；;…\n"
_COMMAS = "，,：:、"
_CLOSERS = "”’」』）)】》〉"
_OPENERS = dict(zip("“‘「『（(【《〈", "”’」』）)】》〉", strict=True))


def sentences(text: str) -> list[str]:
    """The parts of ``text`` with their punctuation, stripped, none without words."""
    found: list[str] = []
    for sentence in map(str.strip, _cut_at(text, _ENDS)):
        if _has_words(sentence):
            found += _breaths(sentence)
        elif sentence and found:
            found[-1] += sentence
    return found


def pause_after(part: str) -> float:
    """How long a speaker rests after ``part``, in s."""
    return _BREATH_S if part.rstrip(_CLOSERS).endswith(tuple(_COMMAS)) else _PAUSE_S


def _breaths(sentence: str) -> list[str]:
    """A long sentence in as few parts as keep each within `LONGEST`, as far as its commas allow."""
    if len(sentence) <= LONGEST:
        return [sentence]
    parts = [""]
    for clause in _cut_at(sentence, _COMMAS):
        if parts[-1] and len(parts[-1]) + len(clause) > LONGEST and _has_words(clause):
            parts.append("")
        parts[-1] += clause
    return parts


def _cut_at(text: str, signs: str) -> list[str]:
    """``text`` cut behind ``signs``; never inside quotes, brackets or a number (12:30, 1,500)."""
    parts: list[str] = []
    start = 0
    closer, opened = "", 0
    for at, char in enumerate(text):
        if closer and at - opened > _MOST:
            closer = ""
        if closer:
            closer = "" if char == closer else closer
        elif char in _OPENERS and _OPENERS[char] in text[at : at + _MOST]:
            closer, opened = _OPENERS[char], at
        following = text[at + 1 : at + 2]
        ends = char in signs or (char in _CLOSERS and text[at - 1 : at] in tuple(signs))
        if ends and not closer and following not in (*signs, *_CLOSERS) and not _number(text, at):
            parts.append(text[start : at + 1])
            start = at + 1
    return [*parts, text[start:]] if text[start:] else parts


def _number(text: str, at: int) -> bool:
    """Whether the sign at ``at`` stands inside a number."""
    return text[at] in ",:：" and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
