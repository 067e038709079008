"""The life of an answer's version: draft → checked → approved → published → retired.

An answer has at most one version that is not published (``OPEN``). Every function works in the
caller's transaction (``store.engine.writing``) and raises :class:`EditError`. Publishing and taking
back what is published is ``knowledge.publish``'s: it passes the gate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.editing import OPEN, Act, AnswerKey, EditError, Place, Version, Wording
from knowledge.schedule import own_end
from knowledge.versionrows import (
    audited,
    conflict,
    differing,
    locked,
    note,
    open_row,
    rows_of,
    set_wording,
    touched,
    version_of,
    wording_of,
)
from knowledge.wording import check_bounds, check_key, check_publishable
from language.speakable import speakable
from store.locks import one_at_a_time
from store.tables import Answer, Matter


def get(session: Session, version: int) -> Version:
    """One version by its id. Raises ``answer_unknown``."""
    row = session.get(Answer, version)
    if row is None:
        raise EditError("answer_unknown", "没有这个答复版本")
    return version_of(session, row)


def open_version(session: Session, key: AnswerKey) -> Version | None:
    """The answer's version that is not published yet, if there is one."""
    row = _open(session, key)
    return version_of(session, row) if row is not None else None


def in_work(session: Session) -> tuple[Version, ...]:
    """All versions that are not published yet, the one changed last first."""
    rows = session.scalars(
        select(Answer).where(Answer.state.in_(OPEN)).order_by(Answer.changed_at.desc(), Answer.id)
    )
    return tuple(version_of(session, row) for row in rows)


def begin(session: Session, act: Act, place: Place, key: AnswerKey) -> Version:
    """The open version, else a new draft that says what is said now (or nothing yet).

    Raises ``matter_unknown``, ``aspect_unknown``, ``region_unknown``.
    """
    check_key(key, place)
    if session.get(Matter, key.matter) is None:
        raise EditError("matter_unknown", f"没有事项 {key.matter}")
    one_at_a_time(session, "knowledge drafts")
    rows = rows_of(session, key)
    row = open_row(rows)
    if row is None:
        said = [row for row in rows if row.state == "published"]
        wording = _as_said(session, said[-1]) if said else _blank(place.day(act.at))
        row = add_version(session, act, key, wording, rows)
        note(session, act, row, "created", before="")
        audited(session, act, row, "drafted")
    return version_of(session, row)


def save(
    session: Session, act: Act, version: int, wording: Wording, *, edition: int,
    why: str | None = None,
) -> Version:  # fmt: skip
    """Keep what an editor wrote so far; a page may call this at every pause.

    Only bounds are checked: a half-written text may be kept (``wording.faults`` says what is
    missing). What was checked or approved becomes a draft again, since nobody has seen the new
    wording. Nothing changes (nor does ``edition``) where nothing differs. ``why``: the note that
    says why this version is written; None leaves it.

    Raises ``answer_unknown``, ``edit_conflict`` (with the fields that differ and their present
    values), ``step_refused`` (published or retired), ``wording_invalid``.
    """
    check_bounds(wording)
    row = locked(session, version)
    theirs = differing(row, wording)
    if row.edition != edition:
        raise conflict(row, theirs)
    _refuse_unless(row, OPEN, "修改")
    if theirs or (why is not None and why != row.note):
        _write(session, act, row, wording, why)
    return version_of(session, row)


def submit(
    session: Session, act: Act, place: Place, version: int, *, edition: int, why: str = ""
) -> Version:
    """The editor says: ready to be checked. It stays a draft, marked ``submitted``.

    Raises ``wording_invalid`` where it could not be published as it stands.
    """
    return _step(session, act, place, version, edition, "submitted", why)


def check(
    session: Session, act: Act, place: Place, version: int, *, edition: int, why: str = ""
) -> Version:
    """Somebody (it may be the writer) has compared it with its source: draft → checked."""
    return _step(session, act, place, version, edition, "checked", why)


def approve(
    session: Session, act: Act, place: Place, version: int, *, edition: int, why: str = ""
) -> Version:
    """A second person agrees: checked → approved. It may now be published.

    Raises ``second_person`` for everybody who wrote in it (OWASP ASVS 5.0, 2.3.5).
    """
    return _step(session, act, place, version, edition, "approved", why)


def reject(session: Session, act: Act, version: int, *, edition: int, why: str) -> Version:
    """Back to the writer with a reason: submitted, checked or approved → draft.

    Raises ``reason_missing``.
    """
    row = locked(session, version, edition)
    _refuse_unless(row, OPEN, "退回")
    if not why.strip():
        raise EditError("reason_missing", "退回要写理由")
    before, row.state, row.checked_by, row.approved_by = row.state, "draft", "", ""
    _done(session, act, row, "rejected", before, why)
    return version_of(session, row)


def discard(session: Session, act: Act, version: int, *, edition: int, why: str = "") -> Version:
    """Give up a version that was never published: → retired, kept in the history."""
    row = locked(session, version, edition)
    _refuse_unless(row, OPEN, "放弃")
    before, row.state = row.state, "retired"
    _done(session, act, row, "discarded", before, why)
    return version_of(session, row)


def add_version(
    session: Session, act: Act, key: AnswerKey, wording: Wording, rows: list[Answer]
) -> Answer:
    """A new draft after ``rows``, the answer's versions so far."""
    row = Answer(
        matter_code=key.matter, aspect=key.aspect, region=key.region,
        version=max((row.version for row in rows), default=0) + 1, state="draft", edition=1,
        created_by=act.by, changed_by=act.by, changed_at=act.at, note="", checked_by="",
        approved_by="",
    )  # fmt: skip
    set_wording(row, wording)
    session.add(row)
    session.flush()
    return row


_FROM = {"submitted": ("draft",), "checked": ("draft",), "approved": ("checked",)}
_CALLED = {"submitted": "提交", "checked": "核对", "approved": "批准"}


def _step(
    session: Session, act: Act, place: Place, version: int, edition: int, event: str, why: str
) -> Version:
    row = locked(session, version, edition)
    _refuse_unless(row, _FROM[event], _CALLED[event])
    check_publishable(wording_of(row), place.day(act.at))
    before = row.state
    if event == "checked":
        row.state, row.checked_by = "checked", act.by
    elif event == "approved":
        _refuse_writer(version_of(session, row), act.by)
        row.state, row.approved_by = "approved", act.by
    _done(session, act, row, event, before, why)
    return version_of(session, row)


def _refuse_writer(version: Version, by: str) -> None:
    if by in version.writers:
        raise EditError(
            "second_person", "自己写的答复要由另一个人批准", writers=list(version.writers)
        )


def _refuse_unless(row: Answer, allowed: tuple[str, ...], step: str) -> None:
    if row.state not in allowed:
        said = {"draft": "草稿", "checked": "已核对", "approved": "已批准", "published": "已发布",
                "retired": "已停用"}[row.state]  # fmt: skip
        raise EditError("step_refused", f"这个版本{said}，不能{step}", state=row.state)


def _write(session: Session, act: Act, row: Answer, wording: Wording, why: str | None) -> None:
    before, writers = row.state, version_of(session, row).writers
    row.state, row.checked_by, row.approved_by = "draft", "", ""
    set_wording(row, wording)
    if why is not None:
        row.note = why
    touched(row, act.at)
    row.changed_by = act.by
    if before != "draft" or act.by not in writers or version_of(session, row).submitted:
        note(session, act, row, "edited", before=before)  # not at every pause of the same writer
    if before != "draft":
        audited(session, act, row, "edited")


def _done(session: Session, act: Act, row: Answer, event: str, before: str, why: str) -> None:
    editor = row.changed_by
    touched(row, act.at)
    row.changed_by = editor  # who wrote last, which a step does not change
    note(session, act, row, event, before=before, why=why)
    audited(session, act, row, event, why)


def _open(session: Session, key: AnswerKey) -> Answer | None:
    newest = (
        select(Answer)
        .where(Answer.matter_code == key.matter, Answer.aspect == key.aspect)
        .where(Answer.region == key.region, Answer.state.in_(OPEN))
        .order_by(Answer.version.desc())
        .limit(1)
    )
    return session.scalar(newest)


def _as_said(session: Session, row: Answer) -> Wording:
    said = wording_of(row)
    # Speech that publishing made of the text follows the text, as long as nobody writes another.
    speech = "" if said.speech == speakable(said.text) else said.speech
    return replace(said, speech=speech, valid_to=own_end(session, row))


def _blank(today: date) -> Wording:
    return Wording("", "", "", "", today)


def counts(session: Session) -> dict[str, int]:
    """How many versions there are in each state."""
    rows = session.execute(select(Answer.state, func.count()).group_by(Answer.state))
    return {state: int(number) for state, number in rows}
