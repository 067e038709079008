"""What an order is about: kind, class, urgency, departments, title and summary. Pure.

The city's words go first, then what was learned from past orders. Nothing is made up: where
neither knows, the class and the department stay ''.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.city import City, Kind
from config.classes import ClassesFile, Leaf
from handoff.classwords import ClassWords, Urged
from handoff.kinds import kind_of
from handoff.titles import UNSAID, summary, title
from handoff.wishes import YES, wants_secret
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
    rule: str = ""
    """What told the class: words, learned, known, or ''."""
    quote: str = ""
    """The citizen's words that told it ('' where none did), and what makes it urgent."""
    urgency_quote: str = ""
    confidence: float = 1.0
    """How sure the class is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A city's classification made ready; build once a process (:func:`rules_of`)."""

    city: City
    classes: ClassesFile
    words: ClassWords


def rules_of(city: City) -> Rules:
    """The rules of ``city``; a few ms, so once a process."""
    return Rules(city, city.classes, ClassWords(city.classes))


def classify(text: str, fields: Mapping[str, str], rules: Rules) -> Classified:
    """Classify what was said.

    ``text``: everything the citizen told, turns joined; ``fields``: what is known already, values
    by name (what, where, when, kind, code, department …); what is there is kept.
    """
    told = text or fields.get("what", "")
    found = _found(told, fields, rules)
    leaf = found.leaf
    department = fields.get("department") or (leaf.department if leaf else "")
    urged = rules.words.urged(told)
    kind: Kind = fields.get("kind") or kind_of("complaint", told)  # type: ignore[assignment]  # written from a Kind
    known = {**fields, "kind": kind, "what": fields.get("what") or told}
    return Classified(
        kind=kind,
        code=leaf.code if leaf else "",
        code_name=leaf.name if leaf else "",
        urgency=_urgency(urged),
        department=department,
        departments=_helping(leaf, department),
        title=title(known, found.quotes, default=UNSAID),
        summary=summary(known),
        secret=wants_secret(told) or fields.get("secret") == YES,
        reasons=(*found.reasons, *map(_pressing, urged)),
        rule=found.rule,
        quote=found.quotes[0] if found.quotes else "",
        urgency_quote=urged[0].quotes[0] if urged else "",
        confidence=found.confidence,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The class, the words that told it, why, and how sure that is."""

    leaf: Leaf | None = None
    quotes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    rule: str = ""
    confidence: float = 0.0


def _found(text: str, fields: Mapping[str, str], rules: Rules) -> _Found:
    known = rules.classes.leaf(fields.get("code", "")) if fields.get("code") else None
    hits = rules.words.hits(text)
    if known is not None:
        quotes = next((hit.quotes for hit in hits if hit.leaf == known), ())
        return _Found(known, quotes, (_belongs(known, rules),), "known", 1.0)
    if not hits:
        return _Found()
    best = hits[0]
    why = f"说到“{'”“'.join(best.quotes[:3])}”，{_belongs(best.leaf, rules)}"
    return _Found(best.leaf, best.quotes, (why,), "words", 0.9)


def _urgency(urged: Sequence[Urged]) -> Urgency:
    if not urged:
        return "normal"
    return "danger" if any(one.pressing.level == "danger" for one in urged) else "urgent"


def _helping(leaf: Leaf | None, department: str) -> tuple[str, ...]:
    """Who helps: the class's own department too, where another one has the order."""
    if leaf is None:
        return ()
    names = (leaf.department, *leaf.helped_by)
    return tuple(dict.fromkeys(name for name in names if name and name != department))


def _belongs(leaf: Leaf, rules: Rules) -> str:
    group = rules.classes.group_of(leaf.code)
    name = f"{group.name} / {leaf.name}" if group else leaf.name
    who = f"，主办{leaf.department}" if leaf.department else ""
    helped = f"，协办{'、'.join(leaf.helped_by)}" if leaf.helped_by else ""
    return f"归{name}{who}{helped}"


def _pressing(one: Urged) -> str:
    return f"紧急：{one.pressing.reason}（“{'”“'.join(one.quotes)}”）"
