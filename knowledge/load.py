"""Import matters and answers from files into the database, and say what changed.

Importing twice changes nothing. A text that differs from the one imported last becomes a new,
published version and the former one is retired. Where an editor has worked on an answer since (any
newer version that is not the import's), the editor's stays and the report names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from knowledge.files import Contents, read_folder
from knowledge.matters import AnswerEntry, MatterEntry, answer_id
from store.engine import writing
from store.locks import one_at_a_time
from store.tables import Answer, KnowledgeRevision, Matter

IMPORTER = "import"
"""Who an imported version is by."""


@dataclass(slots=True)
class Report:
    """What an import did: codes of matters and ids of answers."""

    matters_added: list[str] = field(default_factory=list)
    matters_changed: list[str] = field(default_factory=list)
    matters_kept: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def changes(self) -> bool:
        """Whether anything in the database changed."""
        return any(
            (self.matters_added, self.matters_changed, self.added, self.changed, self.retired)
        )

    def lines(self) -> list[str]:
        """The report for people, one line a kind of change."""
        kinds = {
            "matters added": self.matters_added,
            "matters changed": self.matters_changed,
            "answers added": self.added,
            "answers changed": self.changed,
            "answers retired": self.retired,
            "matters kept as an editor left them": self.matters_kept,
            "kept as an editor left them": self.kept,
        }
        told = [f"{kind}: {len(ids)} ({_some(ids)})" for kind, ids in kinds.items() if ids]
        return [*told, f"answers unchanged: {self.unchanged}"]


def load_folder(engine: Engine, folder: Path, now: datetime) -> Report:
    """Import a city's ``knowledge`` folder in one transaction: all of it or nothing.

    Raises :class:`config.errors.ConfigError` before anything is written.
    """
    contents = read_folder(folder)
    with writing(engine) as session:
        return load(session, contents, now)


def load(session: Session, contents: Contents, now: datetime) -> Report:
    """Import ``contents``; ``now`` is aware."""
    one_at_a_time(session, "knowledge")
    report = Report()
    _load_matters(session, contents.matters, report, now)
    session.flush()
    versions = _versions(session)
    for entry in contents.answers:
        key = (entry.matter, entry.aspect, entry.region)
        _load_answer(session, entry, versions.pop(key, []), report, now)
    _retire_gone(versions, report, now)
    if report.changes:
        advance(session, now)
    return report


def advance(session: Session, now: datetime) -> int:
    """Tell every process that what may be said has changed. Part of the change's transaction.

    Returns the new revision.
    """
    one_at_a_time(session, "knowledge")
    row = session.get(KnowledgeRevision, 1, with_for_update=True)
    if row is None:
        session.add(KnowledgeRevision(id=1, revision=1, changed_at=now))
        return 1
    row.revision += 1
    row.changed_at = now
    return row.revision


def fields_of(entry: MatterEntry) -> dict[str, Any]:
    """The matter's words as the database keeps them."""
    return {
        "name": entry.name, "department": entry.department, "merged_line": entry.merged_line,
        "aliases": list(entry.aliases), "phrasings": list(entry.phrasings),
        "questions": {aspect: list(texts) for aspect, texts in entry.questions.items()},
        "golden": {aspect: list(texts) for aspect, texts in entry.golden.items()},
    }  # fmt: skip


def _load_matters(
    session: Session, entries: Iterable[MatterEntry], report: Report, now: datetime
) -> None:
    stored = {matter.code: matter for matter in session.scalars(select(Matter))}
    for position, entry in enumerate(entries):
        values = {**fields_of(entry), "position": position}
        matter = stored.get(entry.code)
        if matter is None:
            session.add(
                Matter(code=entry.code, changed_at=now, changed_by=IMPORTER, pending={}, **values)
            )
            report.matters_added.append(entry.code)
        elif any(getattr(matter, name) != value for name, value in values.items()):
            _change_matter(matter, values, report, now)


def _change_matter(matter: Matter, values: dict[str, Any], report: Report, now: datetime) -> None:
    if matter.pending or matter.changed_by not in ("", IMPORTER):
        report.matters_kept.append(matter.code)
        return
    for name, value in values.items():
        setattr(matter, name, value)
    matter.edition += 1
    matter.changed_at, matter.changed_by = now, IMPORTER
    report.matters_changed.append(matter.code)


_Key = tuple[str, str, str]


def _versions(session: Session) -> dict[_Key, list[Answer]]:
    """All stored answers, oldest version first."""
    found: dict[_Key, list[Answer]] = {}
    for answer in session.scalars(select(Answer).order_by(Answer.version)):
        found.setdefault((answer.matter_code, answer.aspect, answer.region), []).append(answer)
    return found


def _given_up(version: Answer) -> bool:
    """Whether it is an editor's draft that was never published."""
    never = version.state == "retired" and version.release_id is None
    return never and version.created_by not in ("", IMPORTER)


def _load_answer(
    session: Session, entry: AnswerEntry, versions: list[Answer], report: Report, now: datetime
) -> None:
    name = answer_id(entry.matter, entry.aspect, entry.region)
    newest = next((one for one in reversed(versions) if not _given_up(one)), None)
    same = newest is not None and _stored(newest) == _values(entry)
    if newest is not None and newest.changed_by != IMPORTER and not same:
        report.kept.append(name)
        return
    if (
        newest is not None
        and same
        and (newest.state == "published" or newest.changed_by != IMPORTER)
    ):
        report.unchanged += 1
        return
    said = [version for version in versions if version.state == "published"]
    for version in said:
        _retire(version, now)
    number = max((version.version for version in versions), default=0) + 1
    session.add(
        Answer(
            matter_code=entry.matter, aspect=entry.aspect, region=entry.region, version=number,
            state="published", changed_at=now, changed_by=IMPORTER, created_by=IMPORTER,
            **_values(entry),
        )
    )  # fmt: skip
    (report.changed if versions else report.added).append(name)


def _retire_gone(versions: dict[_Key, list[Answer]], report: Report, now: datetime) -> None:
    """What the files no longer hold is no longer said, unless an editor published it."""
    for key, gone in versions.items():
        said = [version for version in gone if version.state == "published"]
        for version in said:
            kept = [one for one in gone if not _given_up(one)]
            if kept[-1].changed_by == IMPORTER:
                _retire(version, now)
                report.retired.append(answer_id(*key))


def _retire(version: Answer, now: datetime) -> None:
    version.state = "retired"
    version.changed_at = now


def _values(entry: AnswerEntry) -> dict[str, object]:
    return {
        "text": entry.text, "speech": entry.speech, "document": entry.document,
        "article": entry.article, "sample": entry.sample, "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
    }  # fmt: skip


def _stored(answer: Answer) -> dict[str, object]:
    return {
        "text": answer.text, "speech": answer.speech, "document": answer.document,
        "article": answer.article, "sample": answer.sample, "valid_from": answer.valid_from,
        "valid_to": answer.valid_to,
    }  # fmt: skip


def _some(ids: list[str], shown: int = 4) -> str:
    rest = len(ids) - shown
    return "、".join(ids[:shown]) + (f" … and {rest} more" if rest > 0 else "")
