"""Rows of answers as values, steps written down, and the locks that keep editors apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import OPEN, Act, AnswerKey, EditError, State, Step, Version, Wording
from store import audit
from store.locks import FOR_CHANGE
from store.tables import Answer, AnswerEvent

_WRITING = ("created", "edited", "imported")
_FIELDS = ("text", "speech", "document", "article", "valid_from", "valid_to", "sample")


def version_of(session: Session, row: Answer) -> Version:
    """The row as a value."""
    steps = steps_of(session, row.id)
    return Version(
        id=row.id,
        key=key_of(row),
        version=row.version,
        state=cast(State, row.state),
        wording=wording_of(row),
        edition=row.edition,
        note=row.note,
        submitted=row.state == "draft" and _was_submitted(steps),
        writers=_writers(row, steps),
        created_by=row.created_by,
        checked_by=row.checked_by,
        approved_by=row.approved_by,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        release=row.release_id,
    )


def key_of(row: Answer) -> AnswerKey:
    """Which answer the row is a version of."""
    return AnswerKey(row.matter_code, row.aspect, row.region)


def wording_of(row: Answer) -> Wording:
    """What the row says."""
    return Wording(**{name: getattr(row, name) for name in _FIELDS})


def set_wording(row: Answer, wording: Wording) -> None:
    """Write ``wording`` into the row."""
    for name in _FIELDS:
        setattr(row, name, getattr(wording, name))


def differing(row: Answer, wording: Wording) -> dict[str, Any]:
    """The row's values, as JSON, of the fields in which ``wording`` differs."""
    return {
        name: plain(getattr(row, name))
        for name in _FIELDS
        if getattr(row, name) != getattr(wording, name)
    }


def plain(value: Any) -> Any:
    """The value as JSON has it: a day as its ISO form."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def rows_of(session: Session, key: AnswerKey) -> list[Answer]:
    """All versions, oldest first, locked until the transaction ends."""
    wanted = select(Answer).where(
        Answer.matter_code == key.matter, Answer.aspect == key.aspect, Answer.region == key.region
    )
    return list(session.scalars(wanted.order_by(Answer.version).with_for_update(key_share=True)))


def open_row(rows: Sequence[Answer]) -> Answer | None:
    """The version that is not published yet."""
    return next((row for row in reversed(rows) if row.state in OPEN), None)


def locked(session: Session, version: int, edition: int | None = None) -> Answer:
    """The row for change. Raises ``answer_unknown``, ``edit_conflict``."""
    row = session.get(Answer, version, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise EditError("answer_unknown", "没有这个答复版本")
    if edition is not None and row.edition != edition:
        raise conflict(row, {})
    return row


def conflict(row: Answer, theirs: Mapping[str, Any]) -> EditError:
    """The error that tells an editor who was faster, and with what."""
    return EditError(
        "edit_conflict", f"{row.changed_by or '别人'}刚刚改过这条答复，请先看看改了什么",
        by=row.changed_by, at=row.changed_at.isoformat(), edition=row.edition, state=row.state,
        changed=list(theirs), theirs=dict(theirs),
    )  # fmt: skip


def note(
    session: Session, act: Act, row: Answer, event: str, *, before: str, why: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write a step into the version's history."""
    session.flush()  # a new row gets its id here
    session.add(
        AnswerEvent(
            answer_id=row.id, at=act.at, actor=act.by, event=event, from_state=before,
            to_state=row.state, why=why, data=dict(data or {}),
        )
    )  # fmt: skip


def audited(session: Session, act: Act, row: Answer, action: str, why: str = "") -> None:
    """Write the step into the audit as well; last in the transaction (see ``store.audit``)."""
    data = {"version": row.version, "state": row.state, "edition": row.edition}
    audit.write(
        session, act.key, at=act.at, actor=act.by, action=f"answer_{action}",
        target=key_of(row).id, data=data | ({"why": why} if why else {}),
    )  # fmt: skip


def steps_of(session: Session, version: int) -> tuple[Step, ...]:
    """A version's life, oldest first."""
    session.flush()
    rows = session.scalars(
        select(AnswerEvent).where(AnswerEvent.answer_id == version).order_by(AnswerEvent.id)
    )
    return tuple(
        Step(row.at, row.actor, row.event, row.from_state, row.to_state, row.why, row.data)
        for row in rows
    )


def touched(row: Answer, at: datetime) -> None:
    """Count a change of the row."""
    row.edition += 1
    row.changed_at = at


def _was_submitted(steps: Sequence[Step]) -> bool:
    return any(step.event == "submitted" for step in steps[-1:])


def _writers(row: Answer, steps: Sequence[Step]) -> tuple[str, ...]:
    wrote = [step.by for step in steps if step.event in _WRITING]
    return tuple(dict.fromkeys(filter(None, [row.created_by, *wrote, row.changed_by])))
