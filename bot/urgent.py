"""Danger, and a person asked for: noticed in every turn, before and without the dialogue.

Two judges: the city's rules (``urgent.yaml``), which say precisely what they saw, and a learned
second opinion (:mod:`bot.urgent_opinion`) for what is told calmly, indirectly or misheard. A rule
counts unless the second opinion is sure that it is mistaken; the second opinion alone counts where
it is sure, and must be surer where a rule's words were excused (past, denied, hearsay …).
Pure: text and words in, a finding out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.urgent_opinion import Opinion
from bot.urgent_words import Excuse, Kind, UrgentRule, UrgentWords
from language.normal import clean
from language.pinyin import Sounds, sounds_of

__all__ = ["Urgent", "UrgentWords", "urgent"]

_BEFORE = 8
_AFTER = 6
_QUOTE = 40
_SPACES = re.compile(r"\s+")
_STOPS = re.compile("[。！？!?；]")
_CASE = re.compile(r"^那?么?[^，。,!！？?怎咋哪啥几谁多么]{1,8}呢\W*$")
_CASE_LEAST = 1.0
"""Log odds that a mere other case (外地老人呢, 老婆孩子一起呢) must reach without a rule."""
_CLAUSES = re.compile("[。！？!?；，,、：:]")


@dataclass(frozen=True, slots=True)
class Urgent:
    """What was noticed: ``kind``, the ``rule`` that noticed it (``learned`` for the second
    opinion), the words it saw (``quote``), and the ``topic`` the emergency line needs to know
    (gas, fire, violence …; ``person`` else).
    """

    kind: Kind
    rule: str
    quote: str
    topic: str


@dataclass(frozen=True, slots=True)
class _Limits:
    """Log odds: below ``floor`` a rule is mistaken (not in a long story, where
    other things count against it); ``few`` (for a few characters) to ``many`` is
    enough without a rule, the more characters the more; above ``excused`` not even an excuse
    counts.
    """

    floor: float
    few: float
    many: float
    excused: float

    def alone(self, length: int) -> float:
        """What a text of ``length`` characters must reach without a rule."""
        return self.few + (self.many - self.few) * min(1.0, max(0, length - _FEW) / (_MANY - _FEW))


# From cross-validation (``python -m bot.urgent_train --curve``): recall first, then false alarms.
# Long stories name more, and by chance more that frightens: they must be surer.
_FEW, _MANY = 6, 28
_LIMITS: dict[Kind, _Limits] = {
    "danger": _Limits(floor=-2.0, few=-0.7, many=-0.3, excused=2.0),
    "person": _Limits(floor=-6.0, few=-0.2, many=0.6, excused=4.0),
}


def urgent(text: str, words: UrgentWords) -> Urgent | None:
    """The danger in ``text``, else a wish for a person, else None. Never raises."""
    heard = _SPACES.sub("", clean(text).lower())
    if not heard:
        return None
    found, excused = _by_rules(heard, words)
    if words.opinion is None:
        return found.get("danger") or found.get("person")
    score = words.opinion.score(heard)
    return _settled("danger", score.danger, heard, found, excused, words.opinion) or _settled(
        "person", score.person, heard, found, excused, words.opinion
    )


def _settled(
    kind: Kind, score: float, heard: str, found: dict[Kind, Urgent], excused: set[Kind],
    opinion: Opinion,
) -> Urgent | None:  # fmt: skip
    limits = _LIMITS[kind]
    if kind in found:
        mistaken = len(heard) <= _MANY and score <= limits.floor
        return None if mistaken else found[kind]
    least = limits.excused if kind in excused else limits.alone(len(heard))
    if score <= (max(least, _CASE_LEAST) if kind == "danger" and _CASE.search(heard) else least):
        return None
    topic = opinion.topic(heard) if kind == "danger" else kind
    return Urgent(kind, "learned", _telling(kind, heard, opinion), topic)


def _telling(kind: Kind, heard: str, opinion: Opinion) -> str:
    """The clause of ``heard`` that tells it most."""
    clauses = [clause for clause in _CLAUSES.split(heard) if clause] or [heard]
    return max(clauses, key=lambda clause: getattr(opinion.score(clause), kind))[:_QUOTE]


def _by_rules(heard: str, words: UrgentWords) -> tuple[dict[Kind, Urgent], set[Kind]]:
    """The first finding of each kind, and the kinds whose words are there but excused."""
    found: dict[Kind, Urgent] = {}
    excused: set[Kind] = set()
    sounds, said = sounds_of(heard), words.said(heard)
    for number, rule in enumerate(words.rules):
        if rule.kind in found:
            continue
        places = _places(rule, heard, sounds, number in said)
        if not places or rule.unless.search(heard):
            continue
        for start, end in places:
            if not any(_excused(excuse, heard, start, end) for excuse in rule.heed):
                found[rule.kind] = Urgent(rule.kind, rule.rule, heard[start:end], rule.topic)
                break
            excused.add(rule.kind)
    return found, excused


def _places(rule: UrgentRule, heard: str, sounds: Sounds, said: bool) -> list[tuple[int, int]]:
    """Where ``rule``'s words stand if they are ``said``, then where something sounds like them."""
    places = [match.span() for match in rule.say.finditer(heard)] if said else []
    return places + [place for row in rule.sounds if (place := sounds.find(row))]


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
