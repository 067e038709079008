"""Danger, and a person asked for: noticed in every turn, before and without the dialogue.

Pure: text and words in, a finding out. What the words are is the city's (``urgent.yaml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.urgent_words import Excuse, Kind, UrgentRule, UrgentWords
from language.normal import clean
from language.pinyin import find_sound

__all__ = ["Urgent", "UrgentWords", "urgent"]

_BEFORE = 8
_AFTER = 6
_SPACES = re.compile(r"\s+")
_STOPS = re.compile("[。！？!?；]")


@dataclass(frozen=True, slots=True)
class Urgent:
    """What was noticed: ``kind``, the ``rule`` that noticed it, the words it saw (``quote``), and
    the ``topic`` the emergency line needs to know (gas, fire, violence …; ``person`` else).
    """

    kind: Kind
    rule: str
    quote: str
    topic: str


def urgent(text: str, words: UrgentWords) -> Urgent | None:
    """The danger in ``text``, else a wish for a person, else None. Never raises."""
    heard = _SPACES.sub("", clean(text).lower())
    if not heard:
        return None
    for rule in words.rules:
        if rule.unless.search(heard):
            continue
        for start, end in _places(rule, heard):
            if not any(_excused(excuse, heard, start, end) for excuse in rule.heed):
                return Urgent(rule.kind, rule.rule, heard[start:end], rule.topic)
    return None


def _places(rule: UrgentRule, heard: str) -> Iterator[tuple[int, int]]:
    """Where ``rule``'s words stand, then where something sounds like them."""
    for match in rule.say.finditer(heard):
        yield match.span()
    for sound in rule.sounds:
        place = find_sound(heard, sound)
        if place:
            yield place


def _excused(excuse: Excuse, heard: str, start: int, end: int) -> bool:
    if excuse.where == "before":
        place = heard[max(0, start - _BEFORE) : start]
    elif excuse.where == "ahead":
        place = _STOPS.split(heard[:start])[-1]
    elif excuse.where == "after":
        place = heard[end : end + _AFTER]
    else:
        place = heard
    return bool(excuse.say.search(place)) and not excuse.despite.search(heard)
