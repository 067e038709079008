"""What is published, as the YAML folder that an installation is filled from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.wholefile import write_whole
from knowledge.files import KNOWN, Contents
from knowledge.matters import CITY, AnswerEntry, MatterEntry, answer_id
from knowledge.published import snapshot
from knowledge.schedule import own_end
from store.tables import Answer

_WIDTH = 100_000  # a text stays on one line, as in the files that people write


def published_contents(session: Session, today: date) -> Contents:
    """Every matter, and of each answer the version said on ``today``, else the one to come."""
    found = snapshot(session)
    rows = session.scalars(
        select(Answer).where(Answer.state == "published").order_by(Answer.valid_from, Answer.id)
    )
    best: dict[tuple[str, str, str], Answer] = {}
    for row in rows:
        key = (row.matter_code, row.aspect, row.region)
        if key not in best or row.valid_from <= today:
            best[key] = row
    order = {matter.code: at for at, matter in enumerate(found.matters)}
    entries = [_entry(session, row) for row in best.values() if row.matter_code in order]
    entries.sort(key=lambda entry: order[entry.matter])
    return Contents(found.matters, tuple(entries))


def newest_versions(session: Session) -> dict[str, int]:
    """Each answer's newest published version (one to come may be among them), by its id."""
    rows = session.scalars(
        select(Answer).where(Answer.state == "published").order_by(Answer.version)
    )
    return {answer_id(row.matter_code, row.aspect, row.region): row.version for row in rows}


def write_folder(folder: Path, contents: Contents) -> tuple[Path, ...]:
    """Write the contents as ``knowledge.files`` reads them; the files written. Raises OSError.

    Other files of the folder are left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    known: list[dict[str, Any]] = []
    for rank, matter in enumerate(contents.matters, start=1):
        answers = [entry for entry in contents.answers if entry.matter == matter.code]
        if answers:
            document = {**_matter(matter), "rank": rank, **_answers(answers)}
            written.append(_write(folder / f"{matter.code}.yaml", document))
        else:
            known.append(_matter(matter))
    if known:
        written.append(_write(folder / KNOWN, {"matters": known}))
    return tuple(written)


def _entry(session: Session, row: Answer) -> AnswerEntry:
    return AnswerEntry(
        row.matter_code, row.aspect, row.region, row.text, row.speech, row.document, row.article,
        row.valid_from, own_end(session, row), row.sample,
    )  # fmt: skip


def _matter(matter: MatterEntry) -> dict[str, Any]:
    fields: Mapping[str, Any] = {
        "code": matter.code, "name": matter.name, "department": matter.department,
        "merged_line": matter.merged_line, "aliases": list(matter.aliases),
        "phrasings": list(matter.phrasings), "questions": _lists(matter.questions),
        "golden": _lists(matter.golden),
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def _lists(by_aspect: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {aspect: list(texts) for aspect, texts in by_aspect.items() if texts}


def _answers(entries: list[AnswerEntry]) -> dict[str, Any]:
    regions: dict[str, dict[str, Any]] = {}
    for entry in entries:
        regions.setdefault(entry.region, {})[entry.aspect] = _answer(entry)
    document: dict[str, Any] = {"aspects": regions.pop(CITY, {})}
    return {**document, "regions": regions} if regions else document


def _answer(entry: AnswerEntry) -> dict[str, Any]:
    source = {"document": entry.document, "article": entry.article}
    fields = {
        "text": entry.text, "speech": entry.speech,
        "source": {name: value for name, value in source.items() if value},
        "valid_from": entry.valid_from, "valid_to": entry.valid_to, "sample": entry.sample,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value not in (None, False)}


def _write(path: Path, document: Mapping[str, Any]) -> Path:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=_WIDTH)
    write_whole(path, text.encode())
    path.chmod(0o644)  # what citizens are told is no secret
    return path
