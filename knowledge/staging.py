"""What would be published, seen beside what is: two snapshots and what lies between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.doubles import doubled
from knowledge.editing import EditError, MatterWords, Place, Version
from knowledge.gateresult import Conflict
from knowledge.matters import MatterEntry, PublishedAnswer
from knowledge.published import Snapshot, entry_of, published_of, snapshot
from knowledge.search import Search
from knowledge.versionrows import version_of
from knowledge.wording import check_publishable, speech_of
from knowledge.wordrules import publishable
from knowledge.words import staged as every_staged
from knowledge.words import words_of
from store.tables import Answer, Matter


@dataclass(frozen=True, slots=True)
class Selection:
    """What to publish: ids of versions and codes of matters; None: all that is approved."""

    versions: tuple[int, ...] | None = None
    matters: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """What is said (``before``) and what would be (``after``); ``mark`` changes with either.

    In ``after`` what starts later counts as said already where nothing is said now: its golden
    questions can then be asked.
    """

    before: Snapshot
    after: Snapshot
    versions: tuple[Version, ...]
    matters: tuple[MatterWords, ...]
    mark: tuple[object, ...]


def staged(
    session: Session, place: Place, now: datetime, selection: Selection, *, approved: bool
) -> Staged:
    """Read both. ``approved``: refuse (``step_refused``) what nobody approved.

    Raises ``answer_unknown``, ``matter_unknown``, ``wording_invalid``, ``words_invalid``.
    """
    versions = _versions(session, selection, approved)
    matters = _matters(session, selection, approved)
    today = place.day(now)
    for version in versions:
        check_publishable(version.wording, today)
    for words in matters:
        publishable(words.staged)
    before = snapshot(session)
    after = replace(
        before,
        matters=_with_words(before.matters, matters),
        answers=(),
    )
    names = {matter.code: matter.name for matter in after.matters}
    _refuse_nameless(versions, names)
    answers = _with_versions(session, before.answers, versions, names, today)
    return Staged(before, replace(after, answers=answers), versions, matters,
                  mark(before.revision, versions, matters))  # fmt: skip


def clashing(session: Session, codes: Collection[str] = ()) -> dict[str, tuple[Conflict, ...]]:
    """Whose staged words are another matter's too, published or staged: code → the clashes.

    ``codes``: only these matters' (empty: everybody's). The gate will refuse them.
    """
    before = snapshot(session)
    changed = [words for words in every_staged(session) if words.pending]
    if not any(words.code in codes or not codes for words in changed):
        return {}
    after = replace(before, matters=_with_words(before.matters, changed))
    found: dict[str, list[Conflict]] = {}
    for conflict in doubled(before, after):
        for code in {conflict.matter, *(cause.matter for cause in conflict.causes)}:
            if not codes or code in codes:
                found.setdefault(code, []).append(conflict)
    pending = {words.code for words in changed}
    return {code: tuple(some) for code, some in found.items() if code in pending}


def mark(
    revision: int, versions: Sequence[Version], matters: Sequence[MatterWords]
) -> tuple[object, ...]:
    """Equal as long as nobody changed what is published or what is to be."""
    editions = tuple((version.id, version.edition, version.state) for version in versions)
    return (revision, editions, tuple((words.code, words.edition) for words in matters))


def search_over(found: Snapshot, place: Place, like: Search | None) -> Search:
    """A search over ``found``; ``like`` lends its trained parts."""
    return Search.build(
        found.matters, found.answers, reuse=like, calibration=place.calibration,
        parents=place.parents, regions=place.regions, zone=place.zone,
    )  # fmt: skip


def _versions(session: Session, selection: Selection, approved: bool) -> tuple[Version, ...]:
    if selection.versions is None:
        wanted = select(Answer).where(Answer.state == "approved").order_by(Answer.id)
        return tuple(version_of(session, row) for row in session.scalars(wanted))
    found = {
        row.id: version_of(session, row)
        for row in session.scalars(select(Answer).where(Answer.id.in_(selection.versions)))
    }
    unknown = [version for version in selection.versions if version not in found]
    if unknown:
        raise EditError("answer_unknown", f"没有答复版本 {unknown[0]}")
    for version in found.values():
        if approved and version.state != "approved":
            raise EditError("step_refused", f"{version.key.id} 还没有批准", state=version.state)
        if version.state in ("published", "retired"):
            raise EditError("step_refused", f"{version.key.id} 已经发布过", state=version.state)
    return tuple(found[version] for version in dict.fromkeys(selection.versions))


def _matters(session: Session, selection: Selection, approved: bool) -> tuple[MatterWords, ...]:
    if selection.matters is None:
        rows = session.scalars(select(Matter).order_by(Matter.position, Matter.code))
        every = (words_of(row) for row in rows)
        return tuple(words for words in every if words.pending and words.approved_by)
    found: list[MatterWords] = []
    for code in dict.fromkeys(selection.matters):
        row = session.get(Matter, code)
        if row is None:
            raise EditError("matter_unknown", f"没有事项 {code[:60]}")
        words = words_of(row)
        if approved and not (words.pending and words.approved_by):
            raise EditError("step_refused", f"{code} 的改动还没有批准", state="draft")
        if words.pending:
            found.append(words)
    return tuple(found)


def _with_words(
    entries: Sequence[MatterEntry], changed: Sequence[MatterWords]
) -> tuple[MatterEntry, ...]:
    new = {words.code: entry_of(words.code, words.staged) for words in changed}
    kept = [new.pop(entry.code, entry) for entry in entries]
    return (*kept, *new.values())


def _refuse_nameless(versions: Sequence[Version], names: Mapping[str, Any]) -> None:
    for version in versions:
        if version.key.matter not in names:
            raise EditError(
                "step_refused", f"事项 {version.key.matter} 还没有发布，要一起发布", state="draft"
            )


def _with_versions(
    session: Session, said: Sequence[PublishedAnswer], versions: Sequence[Version],
    names: Mapping[str, str], today: date,
) -> tuple[PublishedAnswer, ...]:  # fmt: skip
    new = [_as_published(session, version, names) for version in versions]
    replaced = {one.id for one in new if one.valid_from <= today}
    present = {one.id for one in said if one.valid_from <= today}
    kept = [one for one in said if one.id not in replaced or one.valid_from > today]
    shown = [
        one if one.id in present or one.valid_from <= today else replace(one, valid_from=today)
        for one in new
    ]
    renamed = [replace(one, matter_name=names[one.matter]) for one in kept]
    return (*renamed, *shown)


def _as_published(session: Session, version: Version, names: Mapping[str, str]) -> PublishedAnswer:
    row = session.get_one(Answer, version.id)
    made = published_of(row, names[version.key.matter])
    return replace(made, speech=speech_of(version.wording))
