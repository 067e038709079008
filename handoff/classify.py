"""What an order is about: kind, class, urgency, departments, title and summary. Pure.

The city's words go first, then what was learned from past orders. Nothing is made up: where
neither knows, the class and the department stay ''.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog

from config.city import City, Kind
from config.classes import ClassesFile, Leaf
from handoff.classwords import ClassWords, Hit, Urged
from handoff.kinds import kind_of
from handoff.learned.model import FILE, NOTHING, SHIPPED, Model, ModelError, load
from handoff.titles import UNSAID, summary, title
from handoff.wishes import YES, wants_secret
from turns.replies import Urgency

_log = structlog.get_logger(__name__)


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
    candidates: tuple[str, ...] = ()
    """Codes that come nearest, the likeliest first, at most three."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A city's classification made ready; build once a process (:func:`rules_of`)."""

    city: City
    classes: ClassesFile
    words: ClassWords
    model: Model | None = None


class LazyRules:
    """A city's rules, made when they are asked for first."""

    def __init__(self, city: City, data: Path | None = None) -> None:
        self._city, self._data = city, data
        self._made: Rules | None = None

    def __call__(self) -> Rules:
        """The rules; two threads that ask at once may both make them, the same ones."""
        if self._made is None:
            self._made = rules_of(self._city, self._data)
        return self._made


def rules_of(city: City, data: Path | None = None) -> Rules:
    """The rules of ``city``; some ten ms, so once a process.

    ``data``: the installation's folder of what was learned, where a model of the city's own orders
    may lie; else the one that ships, learned from synthetic ones.
    """
    wanted = city.classes.learned and any(city.classes.leaves())
    return Rules(city, city.classes, ClassWords(city.classes), _model(data) if wanted else None)


def _model(data: Path | None) -> Model | None:
    """A broken file is told of and done without: words classify too."""
    own = data / FILE if data is not None else None
    for path in (own, SHIPPED):
        if path is None or not path.is_file():
            continue
        try:
            return _loaded(path, path.stat().st_mtime_ns)
        except ModelError as error:
            _log.warning("order_model_unusable", code=error.code, file=path.name)
    return None


@lru_cache(maxsize=2)
def _loaded(path: Path, _: int) -> Model:
    """A file is read once a process, and again when it is another one."""
    return load(path)


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
        confidence=round(found.confidence, 3),
        candidates=found.candidates,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The class, the words that told it, why, and how sure that is."""

    leaf: Leaf | None = None
    quotes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    rule: str = ""
    confidence: float = 0.0
    candidates: tuple[str, ...] = ()


_WORD_WORTH = 0.03  # a character of a word beside what was learned, fitted on the development set
_LONGEST_WORD = 6.0  # characters that count
_LEAST_CHANCE = 0.15  # what was learned, without a word, below which nothing is said
_BY_WORDS = 0.75  # how sure a word alone is


def _found(text: str, fields: Mapping[str, str], rules: Rules) -> _Found:
    known = rules.classes.leaf(fields.get("code", "")) if fields.get("code") else None
    hits = {hit.leaf.code: hit for hit in rules.words.hits(text)}
    if known is not None:
        quotes = hits[known.code].quotes if known.code in hits else ()
        return _Found(known, quotes, (_belongs(known, rules),), "known", 1.0)
    learned = dict(rules.model.chances(text)) if rules.model and text else {}
    if not hits and max(learned, key=lambda code: learned[code], default=NOTHING) == NOTHING:
        return _Found()
    order = _ranked(hits, learned, rules)
    best = rules.classes.leaf(order[0]) if order else None
    if best is None:
        return _Found()
    chance, hit = learned.get(best.code, 0.0), hits.get(best.code)
    if hit is None:
        if chance < _LEAST_CHANCE:
            return _Found(candidates=tuple(order[:_SHOWN]))
        why = f"和历史工单里的这一类最像（{chance:.0%}），{_belongs(best, rules)}"
        return _Found(best, (), (why,), "learned", chance, tuple(order[:_SHOWN]))
    why = f"说到“{'”“'.join(hit.quotes[:3])}”，{_belongs(best, rules)}"
    sure = max(_BY_WORDS, chance)
    return _Found(best, hit.quotes, (why,), "words", sure, tuple(order[:_SHOWN]))


_SHOWN = 3


def _ranked(hits: Mapping[str, Hit], learned: Mapping[str, float], rules: Rules) -> list[str]:
    """Codes of the city's classes, the likeliest first, by words and by what was learned."""
    scores = {code: _WORD_WORTH * min(hit.score, _LONGEST_WORD) for code, hit in hits.items()}
    for code, chance in learned.items():
        if code in scores or rules.classes.leaf(code) is not None:
            scores[code] = scores.get(code, 0.0) + chance
    return sorted(scores, key=lambda code: (-scores[code], code))


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
