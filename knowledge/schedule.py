"""Which published version is said when: a later one takes over on its day, without a gap.

An answer has at most one present and one later published version. The present one's last day is
moved to the day before the later one starts, so that what was replaced never comes back; its own
last day is kept in its history and given back when the later one is retired or undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import Act
from knowledge.versionrows import note, plain, touched
from store.tables import Answer, AnswerEvent

_ENDS = ("ended", "resumed", "restored", "unpublished")


def own_end(session: Session, row: Answer) -> date | None:
    """The last day that its editor gave it, whatever takes over before."""
    session.flush()
    last = session.scalar(
        select(AnswerEvent)
        .where(AnswerEvent.answer_id == row.id, AnswerEvent.event.in_(_ENDS))
        .order_by(AnswerEvent.id.desc())
        .limit(1)
    )
    if last is None or "own_end" not in last.data:
        return row.valid_to
    given = last.data["own_end"]
    return date.fromisoformat(given) if given else None


def put_in(session: Session, act: Act, row: Answer, said: Sequence[Answer], today: date) -> None:
    """Make room for ``row`` (about to be published) among ``said``, the answer's published rows."""
    if row.valid_from <= today:
        for old in said:
            if old.valid_from <= today:
                take_out(session, act, old)
        for later in said:
            if later.valid_from > today:
                _end_before(session, act, row, later.valid_from)
        return
    for old in said:
        if old.valid_from > today:
            take_out(session, act, old)
    for present in said:
        if present.valid_from <= today:
            _end_before(session, act, present, row.valid_from)


def take_out(session: Session, act: Act, row: Answer, why: str = "") -> None:
    """Retire a published row."""
    before, row.state = row.state, "retired"
    touched(row, act.at)
    note(session, act, row, "retired", before=before, why=why)


def resume(session: Session, act: Act, said: Sequence[Answer]) -> None:
    """Nothing takes over from these any more: they keep their own last days."""
    for row in said:
        own = own_end(session, row)
        if own != row.valid_to:
            _set_end(session, act, row, own, own, "resumed")


def _end_before(session: Session, act: Act, row: Answer, start: date) -> None:
    own = own_end(session, row)
    last = start - timedelta(days=1)
    last = min(own, last) if own is not None else last
    if last != row.valid_to:
        _set_end(session, act, row, last, own, "ended")


def _set_end(
    session: Session, act: Act, row: Answer, last: date | None, own: date | None, event: str
) -> None:
    row.valid_to = last
    touched(row, act.at)
    data: dict[str, Any] = {"own_end": plain(own), "valid_to": plain(last)}
    note(session, act, row, event, before=row.state, data=data)
