"""One matter's card: its aspects, its words, and one answer with its versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.agreeing import disagreements
from knowledge.editing import OPEN, AnswerKey, Fault, MatterWords, Place, Version
from knowledge.matters import CITY
from knowledge.versionrows import version_of
from knowledge.wording import faults, speech_of
from knowledge.words import matter_words
from store.tables import Answer
from turns.understood import ASPECTS
from web.desk.labels import FIELDS, standing
from web.desk.overview import staff_names

LISTS = ("aliases", "phrasings")
BY_ASPECT = ("questions", "golden")
SINGLE = ("name", "department", "merged_line")


@dataclass(frozen=True, slots=True)
class Tab:
    """One aspect in one region: what is said, what will be said later, what is in work."""

    key: AnswerKey
    said: Version | None = None
    later: Version | None = None
    work: Version | None = None
    ends_in: int | None = None

    @property
    def standing(self) -> str:
        """Where the work on it stands; '' where there is none."""
        return standing(self.work) if self.work else ""

    @property
    def is_empty(self) -> bool:
        """Nothing is said and nothing in work."""
        return not (self.said or self.later or self.work)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change of a matter's words: ``label`` (名称, 材料的问法), old and new texts."""

    label: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A matter with everything below it; ``tabs`` by aspect and region."""

    words: MatterWords
    tabs: Mapping[tuple[str, str], Tab]
    names: Mapping[str, str]
    today: date

    @property
    def name(self) -> str:
        """The name it will have once published."""
        return str(self.words.staged["name"])

    def tab(self, aspect: str, region: str = CITY) -> Tab:
        """One aspect in one region; an empty one where nothing was written."""
        return self.tabs.get((aspect, region)) or Tab(AnswerKey(self.words.code, aspect, region))

    def aspect_tabs(self, aspect: str) -> tuple[Tab, ...]:
        """The aspect in every region that has something of its own, the city first."""
        own = [tab for (name, _), tab in self.tabs.items() if name == aspect and not tab.is_empty]
        return tuple(sorted(own, key=lambda tab: (tab.key.region != CITY, tab.key.region)))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What of the words is to change."""
        return changes_of(self.words)

    @property
    def in_work(self) -> tuple[Version, ...]:
        """All versions in work."""
        return tuple(tab.work for tab in self.tabs.values() if tab.work)


def card(session: Session, place: Place, code: str, today: date) -> Card:
    """Read it. Raises ``matter_unknown``."""
    words = matter_words(session, code)
    rows = session.scalars(
        select(Answer)
        .where(Answer.matter_code == code, Answer.state.in_((*OPEN, "published")))
        .order_by(Answer.version)
    )
    kept: dict[tuple[str, str], list[Version]] = {}
    for row in rows:
        if row.aspect in ASPECTS and row.region in place.regions:
            kept.setdefault((row.aspect, row.region), []).append(version_of(session, row))
    tabs = {key: _tab(AnswerKey(code, *key), found, today) for key, found in kept.items()}
    return Card(words, tabs, staff_names(session), today)


def regions_of(place: Place, card: Card) -> dict[str, str]:
    """Regions to choose from: the city, what lies in it, and whatever has texts of its own."""
    own = {region for (_, region), tab in card.tabs.items() if not tab.is_empty}
    return {
        code: "全市" if code == CITY else name
        for code, name in place.regions.items()
        if code == CITY or place.parents.get(code) == CITY or code in own
    }


def missing(version: Version | None, today: date) -> tuple[Fault, ...]:
    """What keeps a version in work from being submitted."""
    if version is None or version.state not in OPEN:
        return ()
    return faults(version.wording, today)


def warned(tab: Tab) -> tuple[Fault, ...]:
    """Where the work's text and its words for the telephone may not agree: to be seen, no bar."""
    if tab.work is None:
        return ()
    said = tab.later or tab.said
    return disagreements(tab.work.wording, said.wording if said else None)


def said_on_phone(version: Version | None) -> str:
    """What is said on the telephone; '' where nothing was written."""
    return speech_of(version.wording) if version else ""


def changes_of(words: MatterWords) -> tuple[Change, ...]:
    """What of a matter's words is to change."""
    found: list[Change] = []
    for name, new in words.pending.items():
        old = words.live[name]
        if name in BY_ASPECT:
            for aspect in ASPECTS:
                label = f"{aspect}的{FIELDS[name]}"
                found += _changed(label, old.get(aspect, ()), new.get(aspect, ()))
        elif name in LISTS:
            found += _changed(FIELDS[name], old, new)
        else:
            found += _changed(FIELDS[name], [old] if old else [], [new] if new else [])
    return tuple(found)


def _changed(label: str, old: Iterable[str], new: Iterable[str]) -> list[Change]:
    before, after = list(old), list(new)
    added = tuple(text for text in after if text not in before)
    removed = tuple(text for text in before if text not in after)
    return [Change(label, added, removed)] if added or removed else []


def _tab(key: AnswerKey, found: list[Version], today: date) -> Tab:
    """``found``: oldest version first."""
    published = [version for version in found if version.state == "published"]
    now = [version for version in published if version.wording.valid_from <= today]
    later = [version for version in published if version.wording.valid_from > today]
    work = [version for version in found if version.state in OPEN]
    said = now[-1] if now else None
    end = said.wording.valid_to if said and not later else None
    return Tab(
        key, said, later[-1] if later else None, work[-1] if work else None,
        (end - today).days if end else None,
    )  # fmt: skip
