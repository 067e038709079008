"""Taking a release back, one step: every row as it was, unless somebody has changed it since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import OPEN, Act, EditError
from knowledge.load import advance
from knowledge.releasing import Image, Publication, image_of, put_image, words_image
from knowledge.versionrows import key_of, note, rows_of, touched, version_of
from store import audit
from store.locks import FOR_CHANGE
from store.tables import Answer, Matter, Release


def take_back(session: Session, act: Act, why: str) -> Publication:
    """Undo the newest release that was not undone; the caller holds the lock of ``knowledge``.

    Raises ``nothing_to_undo``, ``undo_conflict``.
    """
    release = session.scalar(
        select(Release).where(Release.undone_at.is_(None)).order_by(Release.id.desc()).limit(1)
    )
    if release is None:
        raise EditError("nothing_to_undo", "没有可以撤回的发布")
    answers = [(_answer(session, one["id"]), one) for one in release.changes["answers"]]
    matters = [(_matter(session, one["code"]), one) for one in release.changes["matters"]]
    _refuse_changed(session, answers, matters)
    for row, change in answers:
        _restore(session, act, row, change["before"], why)
    for matter, change in matters:
        _restore_words(matter, act, change)
    release.undone_at, release.undone_by = act.at, act.by
    return _told(session, act, why, release, [row for row, _ in answers])


def _refuse_changed(
    session: Session, answers: list[tuple[Answer, Any]], matters: list[tuple[Matter, Any]]
) -> None:
    moved = [key_of(row).id for row, one in answers if _differs(image_of(session, row), one)]
    fields = [m.code for m, one in matters if words_image(m)["fields"] != one["after"]["fields"]]
    if moved or fields:
        raise EditError(
            "undo_conflict", f"发布以后又改过，不能撤回：{'、'.join([*moved, *fields])}",
            answers=moved, matters=fields,
        )  # fmt: skip


def _differs(now: Image, change: dict[str, Any]) -> bool:
    return any(now[name] != change["after"][name] for name in ("state", "valid_to"))


def _restore(session: Session, act: Act, row: Answer, image: Image, why: str) -> None:
    before = row.state
    put_image(row, image)
    if row.state in OPEN and _has_newer_draft(session, row):
        row.state = "retired"  # an answer has one version in work; the newer one stays
    touched(row, act.at)
    event = "unpublished" if before == "published" and row.state != "published" else "restored"
    data = {"own_end": image["own_end"], "valid_to": image["valid_to"]}
    note(session, act, row, event, before=before, why=why, data=data)


def _has_newer_draft(session: Session, row: Answer) -> bool:
    others = rows_of(session, key_of(row))
    return any(other is not row and other.state in OPEN for other in others)


def _restore_words(matter: Matter, act: Act, change: dict[str, Any]) -> None:
    """The words as they were; what was staged since the release stays staged."""
    fields, pending = change["before"]["fields"], change["before"]["pending"]
    if matter.pending:
        wanted = {**change["after"]["fields"], **matter.pending.get("fields", {})}
        kept = {name: value for name, value in wanted.items() if value != fields[name]}
        pending = {**pending, **matter.pending, "fields": kept, "approved_by": ""}
    for name, value in fields.items():
        setattr(matter, name, value)
    matter.pending = pending
    matter.edition += 1
    matter.changed_at = act.at


def _told(
    session: Session, act: Act, why: str, release: Release, rows: list[Answer]
) -> Publication:
    revision = advance(session, act.at)
    made = [row for row in rows if row.id in release.changes["versions"]]
    codes = tuple(one["code"] for one in release.changes["matters"])
    audit.write(
        session, act.key, at=act.at, actor=act.by, action="knowledge_undone",
        target=f"release:{release.id}",
        data={"revision": revision, "answers": release.changes["made"], "matters": list(codes),
              "why": why},
    )  # fmt: skip
    versions = tuple(version_of(session, row) for row in made)
    return Publication(release.id, revision, None, versions, codes)


def _answer(session: Session, number: int) -> Answer:
    return session.get_one(Answer, number, with_for_update=FOR_CHANGE)


def _matter(session: Session, code: str) -> Matter:
    return session.get_one(Matter, code, with_for_update=FOR_CHANGE)
