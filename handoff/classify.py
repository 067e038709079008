"""What an order is about: kind, class, urgency, departments, title and summary. Pure.

The city's words go first, then what was learned from past orders. Nothing is made up: where
neither knows, the class and the department stay ''.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.city import City, Kind
from config.classes import ClassesFile, Leaf
from handoff.classwords import ClassWords, Hit
from handoff.kinds import kind_of
from handoff.titles import summary, title
from handoff.wishes import SECRET, wants_secret
from turns.replies import Urgency

@dataclass(frozen=True, slots=True)
class Classified:
    """What an order is about. ``department`` is 主办, ``departments`` 协办; ``reasons`` are
    sentences for staff that say why, with the citizen's words.
    """

    kind: Kind
    code: str
    code_name: str
    urgency: Urgency
    department: str
    departments: tuple[str, ...]
    title: str
    summary: str
    secret: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A city's classification made ready; build once a process (:func:`rules_of`)."""

    classes: ClassesFile
    words: ClassWords


def rules_of(city: City) -> Rules:
    """The rules of ``city``; a few ms, so once a process."""
    return Rules(city.classes, ClassWords(city.classes))


def classify(text: str, fields: Mapping[str, str], rules: Rules) -> Classified:
    """Classify what was said.

    ``text``: everything the citizen told, turns joined; ``fields``: what is known already, values
    by name (what, where, when, kind, department …); what is there is kept.
    """
    told = text or fields.get("what", "")
    leaf, quotes, why = _leaf(told, fields, rules)
    department = fields.get("department") or (leaf.department if leaf else "")
    helped = tuple(name for name in (leaf.helped_by if leaf else ()) if name != department)
    if leaf and leaf.department and leaf.department != department:
        helped = (leaf.department, *helped)
    urged = rules.words.urged(told)
    urgency: Urgency = "normal"
    if urged:
        urgency = "danger" if any(u.pressing.level == "danger" for u in urged) else "urgent"
    kind: Kind = fields.get("kind") or kind_of("complaint", told)  # type: ignore[assignment]  # written from a Kind
    known = {**fields, "kind": kind, "what": fields.get("what") or told}
    return Classified(
        kind=kind,
        code=leaf.code if leaf else "",
        code_name=leaf.name if leaf else "",
        urgency=urgency,
        department=department,
        departments=helped,
        title=title(known, quotes, default="转人工，没有说明事由"),
        summary=summary(known),
        secret=wants_secret(told) or fields.get("secret") == SECRET,
        reasons=(*why, *(f"紧急：{u.pressing.reason}（“{'”“'.join(u.quotes)}”）" for u in urged)),
    )


def _leaf(
    text: str, fields: Mapping[str, str], rules: Rules
) -> tuple[Leaf | None, tuple[str, ...], tuple[str, ...]]:
    """The class, the words that told it, and why."""
    known = rules.classes.leaf(fields.get("code", "")) if fields.get("code") else None
    hits = rules.words.hits(text)
    if known is not None:
        quotes = next((hit.quotes for hit in hits if hit.leaf == known), ())
        return known, quotes, ()
    if not hits:
        return None, (), ()
    best = hits[0]
    return best.leaf, best.quotes, (_why(best, rules),)


def _why(hit: Hit, rules: Rules) -> str:
    group = rules.classes.group_of(hit.leaf.code)
    name = f"{group.name} / {hit.leaf.name}" if group else hit.leaf.name
    who = f"，主办{hit.leaf.department}" if hit.leaf.department else ""
    helped = f"，协办{'、'.join(hit.leaf.helped_by)}" if hit.leaf.helped_by else ""
    return f"说到“{'”“'.join(hit.quotes[:3])}”，归{name}{who}{helped}"
