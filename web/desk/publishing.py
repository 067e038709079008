"""What waits for its next step, and what a form chose of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import versions, words
from knowledge.agreeing import disagreements
from knowledge.editing import OPEN, AnswerKey, Fault, MatterWords, Version, Wording
from knowledge.gateresult import Conflict
from knowledge.publish import Selection
from knowledge.staging import clashing
from knowledge.versionrows import key_of, wording_of
from knowledge.wording import faults
from store.tables import Answer, Matter
from web.desk.card import Change, changes_of
from web.desk.labels import standing


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer in work; ``own``: the one who looks wrote in it.

    ``warnings``: where text and speech may not agree; they are to be seen and bar nothing.
    """

    version: Version
    matter_name: str
    standing: str
    own: bool
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class WaitingWords:
    """A matter's changed words; ``clashes``: those that are another matter's too."""

    words: MatterWords
    name: str
    own: bool
    changes: tuple[Change, ...]
    clashes: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Everything in work: approved first, then what waits, then drafts."""

    approved: tuple[Waiting, ...]
    waiting: tuple[Waiting, ...]
    drafts: tuple[Waiting, ...]
    approved_words: tuple[WaitingWords, ...]
    waiting_words: tuple[WaitingWords, ...]

    @property
    def answers(self) -> tuple[Waiting, ...]:
        """Every answer in work."""
        return (*self.approved, *self.waiting, *self.drafts)

    @property
    def words(self) -> tuple[WaitingWords, ...]:
        """Every matter with changed words."""
        return (*self.approved_words, *self.waiting_words)

    @property
    def to_publish(self) -> int:
        """How much may be published."""
        return len(self.approved) + len(self.approved_words)


def queue(session: Session, login: str, today: date) -> Queue:
    """Read it, as ``login`` sees it."""
    names = matter_names(session)
    said = _published(session)
    every = [_waiting(one, names, login, today, said) for one in versions.in_work(session)]
    clashes = clashing(session)
    staged = [
        WaitingWords(
            one,
            str(one.staged["name"]),
            login in one.writers,
            changes_of(one),
            clashes.get(one.code, ()),
        )
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


def _published(session: Session) -> dict[AnswerKey, Wording]:
    """What is published last of every answer that is in work."""
    waits = select(Answer.matter_code).where(Answer.state.in_(OPEN))
    rows = session.scalars(
        select(Answer)
        .where(Answer.state == "published", Answer.matter_code.in_(waits))
        .order_by(Answer.version)
    )
    return {key_of(row): wording_of(row) for row in rows}


def _waiting(
    version: Version, names: Mapping[str, str], login: str, today: date,
    said: Mapping[AnswerKey, Wording],
) -> Waiting:  # fmt: skip
    name = names.get(version.key.matter, version.key.matter)
    own = login in version.writers
    warnings = disagreements(version.wording, said.get(version.key))
    found = faults(version.wording, today)
    return Waiting(version, name, standing(version), own, found, warnings)


def _at(every: Iterable[Waiting], *states: str) -> tuple[Waiting, ...]:
    return tuple(one for one in every if one.standing in states)
