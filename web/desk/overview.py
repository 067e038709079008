"""All matters at a glance, and finding one as one types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import history, versions
from knowledge.editing import AnswerKey, MatterWords, Version
from knowledge.history import Ending
from knowledge.versionrows import version_of
from knowledge.words import words_of
from store.tables import Answer, Matter, Staff
from turns.understood import ASPECTS
from web.desk.labels import standing

FILTERS = {
    "": "全部",
    "draft": "有草稿",
    "waiting": "等批准",
    "approved": "等发布",
    "expiring": "快到期",
    "sample": "示例数据",
    "empty": "没有答复",
}
_EXCERPT = 18
"""Characters shown before and after what was found."""
_WAITING = ("submitted", "checked")


@dataclass(frozen=True, slots=True)
class Said:
    """A published answer, as far as the list needs it."""

    key: AnswerKey
    text: str
    sample: bool
    valid_from: date
    valid_to: date | None

    def over(self, today: date) -> bool:
        """Whether it is no longer said."""
        return self.valid_to is not None and self.valid_to < today


@dataclass(frozen=True, slots=True)
class Hit:
    """Where the search found something: ``before``, the words ``found`` and ``after``."""

    where: str
    before: str
    found: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """One matter of the list; numbers are of answers."""

    words: MatterWords
    said: tuple[Said, ...] = ()
    work: tuple[Version, ...] = ()
    expiring: int = 0
    expired: int = 0
    hit: Hit | None = None

    @property
    def name(self) -> str:
        """The name it will have once published."""
        return str(self.words.staged["name"])

    @property
    def department(self) -> str:
        """As above."""
        return str(self.words.staged["department"])

    @property
    def aspects(self) -> frozenset[str]:
        """Aspects that have an answer."""
        return frozenset(one.key.aspect for one in self.said)

    def count(self, *states: str) -> int:
        """How many versions in work stand at one of these."""
        return sum(standing(version) in states for version in self.work)

    @property
    def samples(self) -> int:
        """Answers with made-up figures."""
        return sum(one.sample for one in self.said)

    def is_(self, state: str) -> bool:
        """Whether it belongs under this entry of ``FILTERS``."""
        pending = bool(self.words.pending)
        approved = pending and bool(self.words.approved_by)
        belongs = {
            "": True,
            "draft": self.count("draft") > 0,
            "waiting": self.count(*_WAITING) > 0 or (pending and not approved),
            "approved": self.count("approved") > 0 or approved,
            "expiring": self.expiring + self.expired > 0,
            "sample": self.samples > 0,
            "empty": not self.said,
        }
        return belongs.get(state, False)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the list is made of."""

    rows: tuple[Row, ...]
    ending: tuple[Ending, ...] = ()
    ended: tuple[Ending, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many matters there are under each entry of ``FILTERS``."""
        return {state: sum(row.is_(state) for row in self.rows) for state in FILTERS}


def overview(session: Session, today: date) -> Overview:
    """Read it."""
    said = _said(session)
    work = _by_matter(versions.in_work(session))
    ending = history.expiring(session, today)
    ended = _ended(session, today)
    rows = tuple(
        Row(
            words_of(row), tuple(said.get(row.code, ())), tuple(work.get(row.code, ())),
            sum(one.version.key.matter == row.code for one in ending),
            sum(one.version.key.matter == row.code for one in ended),
        )
        for row in session.scalars(select(Matter).order_by(Matter.position, Matter.code))
    )  # fmt: skip
    return Overview(rows, ending, ended, staff_names(session))


def found(rows: Iterable[Row], text: str, state: str) -> tuple[Row, ...]:
    """The rows that hold every word of ``text``, the best first, under the filter ``state``."""
    wanted = [row for row in rows if row.is_(state)]
    words = text.casefold().split()
    if not words:
        return tuple(wanted)
    scored = [(scored, row) for row in wanted if (scored := _found(row, words)) is not None]
    scored.sort(key=lambda pair: pair[0][0])
    return tuple(
        Row(row.words, row.said, row.work, row.expiring, row.expired, hit)
        for (_, hit), row in scored
    )


def staff_names(session: Session) -> dict[str, str]:
    """Everybody's name by login."""
    rows = session.execute(select(Staff.login, Staff.name))
    return {row[0]: row[1] for row in rows}


def _found(row: Row, words: Sequence[str]) -> tuple[int, Hit | None] | None:
    """How good, the smaller the better, and what to show; None where a word is missing."""
    texts = tuple(_texts(row))
    ranks: list[tuple[int, Hit | None]] = []
    for word in words:
        hits = (
            (rank, _hit(where, text, word))
            for rank, where, text in texts
            if word in text.casefold()
        )
        best = min(hits, key=lambda pair: pair[0], default=None)
        if best is None:
            return None
        ranks.append(best)
    return max(ranks, key=lambda pair: pair[0])


def _texts(row: Row) -> Iterable[tuple[int, str, str]]:
    """What can be found: the rank of its kind, what it is called, the text."""
    words = row.words.staged
    yield 0, "", row.name
    yield 1, "代码", row.words.code
    yield 1, "部门", row.department
    yield from ((2, "别名", text) for text in words["aliases"])
    yield from ((3, "说法", text) for text in words["phrasings"])
    for name, label in (("questions", "问法"), ("golden", "黄金问题")):
        for aspect, texts in words[name].items():
            yield from ((4, f"{aspect}的{label}", text) for text in texts)
    yield from ((5, f"{one.key.aspect}的答复", one.text) for one in row.said)
    yield from ((6, f"{one.key.aspect}的草稿", one.wording.text) for one in row.work)


def _hit(where: str, text: str, word: str) -> Hit | None:
    if not where:
        return None
    at = text.casefold().find(word)
    first, last = max(0, at - _EXCERPT), at + len(word) + _EXCERPT
    before = ("…" if first else "") + text[first:at]
    after = text[at + len(word) : last] + ("…" if last < len(text) else "")
    return Hit(where, before, text[at : at + len(word)], after)


def _said(session: Session) -> dict[str, list[Said]]:
    rows = session.execute(
        select(
            Answer.matter_code, Answer.aspect, Answer.region, Answer.text, Answer.sample,
            Answer.valid_from, Answer.valid_to,
        ).where(Answer.state == "published")
    )  # fmt: skip
    found: dict[str, list[Said]] = {}
    for matter, aspect, region, text, sample, start, end in rows:
        said = Said(AnswerKey(matter, aspect, region), text, sample, start, end)
        found.setdefault(matter, []).append(said)
    for answers in found.values():
        answers.sort(key=lambda one: (ASPECTS.index(one.key.aspect), one.key.region))
    return found


def _by_matter(work: Iterable[Version]) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for version in work:
        found.setdefault(version.key.matter, []).append(version)
    return found


def _ended(session: Session, today: date) -> tuple[Ending, ...]:
    """Published answers that are over, where nothing is said in their place; newest first."""
    rows = session.execute(
        select(Answer, Matter.name)
        .join(Matter, Matter.code == Answer.matter_code)
        .where(Answer.state == "published", Answer.valid_to < today)
        .order_by(Answer.valid_to.desc(), Answer.id)
    )
    said = select(Answer.matter_code, Answer.aspect, Answer.region).where(
        Answer.state == "published", Answer.valid_from <= today,
        (Answer.valid_to.is_(None)) | (Answer.valid_to >= today),
    )  # fmt: skip
    present = {tuple(key) for key in session.execute(said)}
    return tuple(
        Ending(version_of(session, row), name, (row.valid_to - today).days)
        for row, name in rows
        if row.valid_to is not None and (row.matter_code, row.aspect, row.region) not in present
    )
