"""What waits for its next step, and what a form chose of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import versions, words
from knowledge.editing import Fault, MatterWords, Version
from knowledge.publish import Selection
from knowledge.wording import faults
from store.tables import Matter
from web.desk.card import Change, changes_of
from web.desk.labels import standing


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer in work; ``own``: the one who looks wrote in it."""

    version: Version
    matter_name: str
    standing: str
    own: bool
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """A matter's changed words."""

    words: MatterWords
    name: str
    own: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Everything in work: approved first, then what waits, then drafts."""

    approved: tuple[Waiting, ...]
    waiting: tuple[Waiting, ...]
    drafts: tuple[Waiting, ...]
    approved_words: tuple[WaitingWords, ...]
    waiting_words: tuple[WaitingWords, ...]

    @property
    def to_publish(self) -> int:
        """How much may be published."""
        return len(self.approved) + len(self.approved_words)


def queue(session: Session, login: str, today: date) -> Queue:
    """Read it, as ``login`` sees it."""
    names = matter_names(session)
    every = [_waiting(one, names, login, today) for one in versions.in_work(session)]
    staged = [
        WaitingWords(one, str(one.staged["name"]), login in one.writers, changes_of(one))
        for one in words.staged(session)
        if one.pending
    ]
    return Queue(
        _at(every, "approved"), _at(every, "submitted", "checked"), _at(every, "draft"),
        tuple(one for one in staged if one.words.approved_by),
        tuple(one for one in staged if not one.words.approved_by),
    )  # fmt: skip


def selection(chosen_versions: Iterable[int], chosen_matters: Iterable[str]) -> Selection:
    """What a form's ticks say."""
    return Selection(tuple(chosen_versions), tuple(chosen_matters))


def matter_names(session: Session) -> dict[str, str]:
    """Every matter's name by its code."""
    rows = session.execute(select(Matter.code, Matter.name))
    return {row[0]: row[1] for row in rows}


def called(code: str, names: Mapping[str, str]) -> str:
    """An answer's id (``gjj.rent:条件:city``) or a matter's code in words."""
    matter, _, rest = code.partition(":")
    name = names.get(matter, matter)
    return f"{name}的{rest.partition(':')[0]}" if rest else f"{name}的说法"


def _waiting(version: Version, names: Mapping[str, str], login: str, today: date) -> Waiting:
    name = names.get(version.key.matter, version.key.matter)
    own = login in version.writers
    return Waiting(version, name, standing(version), own, faults(version.wording, today))


def _at(every: Iterable[Waiting], *states: str) -> tuple[Waiting, ...]:
    return tuple(one for one in every if one.standing in states)
