"""Long texts cut into sentences, so that the first can be heard while the rest is rendered."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^。！？!?；;\n…]*(?:[。！？!?；;…\n]+[”’」』）)】]*|$)")
_CLAUSE = re.compile(r"[^，,、：:]*(?:[，,、：:]+|$)")
LONGEST = 60
"""Characters; a longer sentence is cut at a comma near its middle parts."""


def sentences(text: str) -> list[str]:
    """The sentences of ``text`` with their punctuation, stripped, none without words."""
    found: list[str] = []
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if _has_words(sentence):
            found += _cut(sentence)
        elif sentence and found:
            found[-1] += sentence
    return found


def _cut(sentence: str) -> list[str]:
    if len(sentence) <= LONGEST:
        return [sentence]
    parts = [""]
    for match in _CLAUSE.finditer(sentence):
        if parts[-1] and len(parts[-1]) + len(match[0]) > LONGEST:
            parts.append("")
        parts[-1] += match[0]
    return [part for part in parts if part]


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
