"""Look a turn up: one question, or several, of which the first is answered and the others offered.

The lookahead asks the same way, so that what it prepares is what will be said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.actions.answers import Knowledge, option_of
from bot.actions.regions import region_said, without_region
from config.city import City
from knowledge.search import Found
from language.people import for_whom
from language.questions import asks, asks_what_to_do, bare, parts, unjoined
from turns.context import Context
from turns.replies import Option

_LEANS = 0.4  # chance from which a talk leans to a matter that was asked back about
_MOST = 3  # questions of one turn that are looked up


@dataclass(frozen=True, slots=True)
class Looked:
    """What a turn asks: ``found``, and what else it asks (``also``) as options."""

    found: Found
    also: tuple[Option, ...] = ()


def look_around(
    knowledge: Knowledge, text: str, context: Context, now: datetime, city: City
) -> Looked:
    """As :func:`look`, in the region that ``text`` names; and where that name hides the question
    (我妈在西河区，去哪办), without it.
    """
    context = placed(context, text, city)
    looked = look(knowledge, text, context, now)
    bare = without_region(text, city)
    if looked.found.decision == "answer" or bare == text:
        return looked
    again = look(knowledge, bare, context, now)
    if again.found.decision == "miss":
        return looked
    return replace(again, found=kept(again.found, text, context))


def placed(context: Context, text: str, city: City) -> Context:
    """``context`` with the region that ``text`` names."""
    region = region_said(text, city)
    return replace(context, region=region) if region else context


def look(knowledge: Knowledge, text: str, context: Context, now: datetime) -> Looked:
    """Look ``text`` up in a talk about ``context``.

    Several questions count only where each has an answer of its own; otherwise the whole text is
    one. A bare 怎么办 before a question of the same matter only leads up to that.
    """
    whole = _at_all(knowledge, text, context, now)
    said = parts(text)[:_MOST]
    if len(said) < 2:
        return Looked(kept(whole, text, context))
    found = _one_by_one(knowledge, said, whole, context, now)
    if len(found) < 2:
        return Looked(kept(whole, text, context))
    also = tuple(option_of(one.answer) for one in found[1:] if one.answer)
    return Looked(kept(found[0], text, context), also)


def _at_all(knowledge: Knowledge, text: str, context: Context, now: datetime) -> Found:
    """What ``text`` finds; where that is no answer, what the question in it finds by itself: the
    same matter more clearly, or, where nothing else is named, more about the talk's.
    """
    whole = knowledge.find(text, context, now=now)
    if whole.decision == "answer" or not asks(text):
        return whole
    likely = whole.context.matter if whole.decision == "ask" else context.matter
    if not likely:
        return whole
    talk = context if context.matter == likely else replace(context, matter=likely, aspect="")
    for shorter in bare(text):
        found = knowledge.find(shorter, talk, now=now)
        if found.decision == "answer" and found.context.matter == likely:
            return found
    return whole


def kept(found: Found, text: str, before: Context) -> Found:
    """``found`` with whom it is for: said now, or before while the talk stays with its topic."""
    topic = _family(found.context.matter) in ("", _family(before.matter))
    whom = for_whom(text) or (before.for_whom if topic else "")
    return replace(found, context=replace(found.context, for_whom=whom))


def leaning(found: Found) -> Found:
    """``found``; where it asks back between matters and one of them is by far the likeliest, the
    talk goes on about that one, should the citizen choose nothing and ask on (要带什么).
    """
    if found.decision != "ask" or found.context.matter or not found.candidates:
        return found
    chances: dict[str, float] = {}
    for one in found.candidates:
        chances[one.matter] = chances.get(one.matter, 0.0) + one.score
    matter, *others = sorted(chances, key=lambda code: -chances[code])
    if chances[matter] < _LEANS or any(chances[one] * 2 > chances[matter] for one in others):
        return found
    return replace(found, context=replace(found.context, matter=matter))


def _one_by_one(
    knowledge: Knowledge, said: tuple[str, ...], whole: Found, context: Context, now: datetime
) -> list[Found]:
    """What each question finds, those that find the same left out; [] where one finds nothing."""
    talk = context
    found: list[Found] = []
    for n, part in enumerate(said):
        one = knowledge.find(unjoined(part), talk, now=now)
        if one.decision != "answer" and n == 0 and whole.context.matter:
            talk = replace(context, matter=whole.context.matter, aspect="")
            one = knowledge.find(unjoined(part), talk, now=now)
        if one.decision != "answer":
            return []
        talk = one.context
        known = [(f.context.matter, f.context.aspect) for f in found]
        if (one.context.matter, one.context.aspect) not in known:
            found.append(one)
    return found[1:] if len(found) > 1 and _leads_up(said[0], found) else found


def _leads_up(first: str, found: list[Found]) -> bool:
    return asks_what_to_do(first) and found[0].context.matter == found[1].context.matter


def _family(matter: str) -> str:
    return matter.partition(".")[0]
