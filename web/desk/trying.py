"""Trying a question: what would be answered, now and with the drafts, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, select

from knowledge import versions, words
from knowledge.editing import EditError, MatterWords, Place, Version
from knowledge.publish import Selection, would_be
from knowledge.search import Found, Search
from knowledge.why import Why
from knowledge.wording import faults
from store.engine import reading
from store.tables import Matter

LONGEST = 500
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Scored:
    """One candidate for the bars: what it is and how likely."""

    name: str
    aspect: str
    score: float


@dataclass(frozen=True, slots=True)
class Tried:
    """What one search says: the decision, the answer or the options, and what it weighed."""

    title: str
    found: Found
    scored: tuple[Scored, ...]
    why: Why
    names: Mapping[str, str]

    @property
    def told(self) -> tuple[str, ...]:
        """What tells two outcomes apart."""
        answer = self.found.answer
        said = (answer.id, answer.text) if answer else ()
        return (self.found.decision, *said, *(option.label for option in self.found.options))


@dataclass(frozen=True, slots=True)
class Trial:
    """A question tried; ``then`` is None where no draft could be counted in.

    ``left_out``: how many drafts are not finished enough.
    """

    text: str
    now: Tried
    then: Tried | None
    drafts: int
    left_out: int

    @property
    def differs(self) -> bool:
        """Whether the drafts change what is told."""
        return self.then is not None and self.then.told != self.now.told


def try_question(
    engine: Engine, place: Place, live: Search, text: str, now: datetime, *,
    region: str = "", matter: str = "",
) -> Trial:  # fmt: skip
    """Ask ``text`` of what is published and of what would be; ``matter``: its drafts only."""
    names = dict(_names(engine))
    first = _tried("现在", live, text, region, now, names)
    selection, left_out = drafts_of(engine, place.day(now), matter)
    count = len(selection.versions or ()) + len(selection.matters or ())
    if not count:
        return Trial(text, first, None, 0, left_out)
    try:
        search = would_be(engine, place, now, selection, live=live)
    except EditError:
        return Trial(text, first, None, 0, left_out + count)
    then = _tried("加上草稿", search, text, region, now, names)
    return Trial(text, first, then, count, left_out)


def drafts_of(engine: Engine, today: date, matter: str = "") -> tuple[Selection, int]:
    """What is in work and finished enough to be tried; how many are not."""
    with reading(engine) as session:
        work = [one for one in versions.in_work(session) if matter in ("", one.key.matter)]
        staged = [one for one in words.staged(session) if matter in ("", one.code)]
    ready = [one for one in work if not faults(one.wording, today)]
    known = _known(ready, staged)
    chosen = Selection(
        tuple(one.id for one in known), tuple(one.code for one in staged if one.pending)
    )
    return chosen, len(work) - len(known)


def _known(ready: Sequence[Version], staged: Sequence[MatterWords]) -> list[Version]:
    """Without those of a new matter that has no words to publish."""
    nameless = {one.code for one in staged if one.is_new and not one.pending}
    return [one for one in ready if one.key.matter not in nameless]


def _tried(
    title: str, search: Search, text: str, region: str, now: datetime, names: dict[str, str]
) -> Tried:
    found = search.find(text, region=region, now=now)
    scored = tuple(
        Scored(names.get(one.matter, one.matter), one.aspect, one.score)
        for one in found.candidates[:_SHOWN]
    )
    why = search.why(text, region=region, now=now)
    return Tried(title, found, scored, why, names)


def _names(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        rows = session.execute(select(Matter.code, Matter.name, Matter.pending))
        return [(code, (pending or {}).get("fields", {}).get("name", name))
                for code, name, pending in rows]  # fmt: skip
