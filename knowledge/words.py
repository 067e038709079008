"""A matter's own words (name, aliases, phrasings, questions, golden questions) before publishing.

What an editor changes is staged in ``matter.pending`` and alters nothing that is said or understood
until ``knowledge.publish`` has passed it through the gate. Every function works in the caller's
transaction and raises :class:`EditError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import WORD_FIELDS, Act, EditError, MatterWords
from knowledge.wordrules import checked_code, checked_fields, publishable
from store import audit
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import Answer, Matter

_FIELDS, _WRITERS, _APPROVED, _NEW = "fields", "writers", "approved_by", "new"
_BEFORE = "changed_by"
"""The keys of ``matter.pending``; the last is who had changed the matter before: given back where
nothing of the changes is published, so that files may change the matter again."""


def matter_words(session: Session, code: str) -> MatterWords:
    """One matter's words. Raises ``matter_unknown``."""
    row = session.get(Matter, code)
    if row is None:
        raise EditError("matter_unknown", f"没有事项 {code[:60]}")
    return words_of(row)


def words_of(row: Matter) -> MatterWords:
    """The row as a value."""
    pending = row.pending or {}
    return MatterWords(
        code=row.code,
        live={name: getattr(row, name) for name in WORD_FIELDS},
        pending=pending.get(_FIELDS, {}),
        edition=row.edition,
        writers=tuple(pending.get(_WRITERS, ())),
        approved_by=pending.get(_APPROVED, ""),
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        is_new=bool(pending.get(_NEW)),
    )


def staged(session: Session) -> tuple[MatterWords, ...]:
    """All matters with something pending."""
    rows = session.scalars(select(Matter).order_by(Matter.position, Matter.code))
    found = (words_of(row) for row in rows)
    return tuple(words for words in found if words.pending or words.is_new)


def stage(
    session: Session, act: Act, code: str, changes: Mapping[str, Any], *, edition: int
) -> MatterWords:
    """Stage ``changes`` (any of ``WORD_FIELDS``, each the whole new value).

    A field that equals what is published is no longer pending. An approval lapses. Nothing changes
    (nor does ``edition``) where nothing differs.

    Raises ``matter_unknown``, ``edit_conflict`` (``theirs``: the staged values that differ from
    ``changes``), ``words_invalid``.
    """
    row = _locked(session, code)
    fields = checked_fields(changes)
    now = words_of(row).staged
    theirs = {name: now[name] for name, value in fields.items() if now[name] != value}
    if row.edition != edition:
        raise _conflict(row, theirs)
    if theirs:
        _stage(session, act, row, fields)
    return words_of(row)


def add_words(
    session: Session, act: Act, code: str, *,
    aliases: Sequence[str] = (), phrasings: Sequence[str] = (),
    questions: Mapping[str, Sequence[str]] | None = None,
    golden: Mapping[str, Sequence[str]] | None = None,
) -> MatterWords:  # fmt: skip
    """Stage more words beside those there are (what is there already is not doubled).

    For whoever adds without having the card open (the learning loop): needs no ``edition``.
    """
    row = _locked(session, code)
    now = words_of(row).staged
    fields: dict[str, Any] = {}
    for name, more in (("aliases", aliases), ("phrasings", phrasings)):
        if more:
            fields[name] = list(dict.fromkeys([*now[name], *more]))
    for name, by_aspect in (("questions", questions), ("golden", golden)):
        if by_aspect:
            fields[name] = merged(name, now[name], by_aspect)
    fields = checked_fields(fields)
    if any(now[name] != value for name, value in fields.items()):
        _stage(session, act, row, fields)
    return words_of(row)


def add_matter(session: Session, act: Act, code: str, fields: Mapping[str, Any]) -> MatterWords:
    """A new matter, staged whole: nobody is understood by it before it is published.

    ``fields`` needs ``name`` and ``department``. Raises ``matter_taken``, ``matter_code_invalid``,
    ``words_invalid``.
    """
    code = checked_code(code)
    one_at_a_time(session, "knowledge drafts")
    if session.get(Matter, code) is not None:
        raise EditError("matter_taken", f"事项 {code} 已经有了")
    wanted = checked_fields({"name": "", "department": "", **fields})
    row = Matter(
        code=code, name=wanted["name"], department=wanted["department"], merged_line="",
        aliases=[], phrasings=[], questions={}, golden={}, pending={_NEW: True}, edition=0,
        position=_last_position(session) + 1, changed_by="",
    )  # fmt: skip
    session.add(row)
    _stage(session, act, row, wanted)
    return words_of(row)


def approve_words(session: Session, act: Act, code: str, *, edition: int) -> MatterWords:
    """A second person agrees with what is pending; it may now be published.

    Raises ``edit_conflict``, ``step_refused`` (nothing pending), ``second_person``,
    ``words_invalid``.
    """
    row = _at_edition(session, code, edition)
    words = words_of(row)
    if not words.pending:
        raise EditError("step_refused", "这个事项没有要发布的改动", state="published")
    if act.by in words.writers:
        raise EditError(
            "second_person", "自己改的说法要由另一个人批准", writers=list(words.writers)
        )
    publishable(words.staged)
    row.pending = {**row.pending, _APPROVED: act.by}
    _count(session, act, row, "words_approved", {"fields": sorted(words.pending)})
    return words_of(row)


def reject_words(session: Session, act: Act, code: str, *, edition: int, why: str) -> MatterWords:
    """Take an approval back, with a reason; what is pending stays. Raises ``reason_missing``."""
    row = _at_edition(session, code, edition)
    if not why.strip():
        raise EditError("reason_missing", "退回要写理由")
    row.pending = {**row.pending, _APPROVED: ""}
    _count(session, act, row, "words_rejected", {"why": why})
    return words_of(row)


def drop_words(session: Session, act: Act, code: str, *, edition: int) -> MatterWords | None:
    """Give up what is pending; a matter that was never published is gone (None)."""
    row = _at_edition(session, code, edition)
    fields = sorted(words_of(row).pending)
    if words_of(row).is_new:
        _forget(session, act, row)
        return None
    before, row.pending = row.pending.get(_BEFORE, row.changed_by), {}
    _count(session, act, row, "words_dropped", {"fields": fields})
    row.changed_by = before
    return words_of(row)


def _forget(session: Session, act: Act, row: Matter) -> None:
    if session.scalar(select(Answer.id).where(Answer.matter_code == row.code).limit(1)):
        raise EditError("step_refused", "这个事项下已经写了答复，不能删掉", state="draft")
    code = row.code
    session.delete(row)
    audit.write(session, act.key, at=act.at, actor=act.by, action="words_dropped", target=code)


def _stage(session: Session, act: Act, row: Matter, fields: Mapping[str, Any]) -> None:
    words = words_of(row)
    after = {**words.pending, **fields}
    is_new = words.is_new
    changed = {n: v for n, v in after.items() if is_new or v != words.live[n]}
    was_pending = bool(words.pending)
    mine = {
        _FIELDS: changed, _WRITERS: list(dict.fromkeys([*words.writers, act.by])), _APPROVED: "",
        _BEFORE: (row.pending or {}).get(_BEFORE, row.changed_by),
    }  # fmt: skip
    row.edition += 1
    row.changed_at, row.changed_by = act.at, act.by
    if changed or is_new:
        row.pending = {**mine, _NEW: True} if is_new else mine
    else:
        row.pending, row.changed_by = {}, mine[_BEFORE]
    session.flush()
    if not was_pending or words.approved_by:  # not at every pause of the same writer
        audit.write(
            session, act.key, at=act.at, actor=act.by, action="words_staged", target=row.code,
            data={"fields": sorted(changed), "edition": row.edition},
        )  # fmt: skip


def _count(session: Session, act: Act, row: Matter, action: str, data: dict[str, Any]) -> None:
    row.edition += 1
    row.changed_at, row.changed_by = act.at, act.by
    session.flush()
    audit.write(
        session, act.key, at=act.at, actor=act.by, action=action, target=row.code,
        data={**data, "edition": row.edition},
    )  # fmt: skip


def _locked(session: Session, code: str) -> Matter:
    row = session.get(Matter, code, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise EditError("matter_unknown", f"没有事项 {code[:60]}")
    return row


def _at_edition(session: Session, code: str, edition: int) -> Matter:
    row = _locked(session, code)
    if row.edition != edition:
        raise _conflict(row, {})
    return row


def _conflict(row: Matter, theirs: Mapping[str, Any]) -> EditError:
    at = row.changed_at.isoformat() if row.changed_at else ""
    return EditError(
        "edit_conflict", f"{row.changed_by or '别人'}刚刚改过这个事项，请先看看改了什么",
        by=row.changed_by, at=at, edition=row.edition, changed=list(theirs), theirs=dict(theirs),
    )  # fmt: skip


def merged(field: str, there: Any, more: Any) -> Any:
    """A field's value with ``more`` of it: questions are added by aspect, all else is replaced."""
    if field not in ("questions", "golden"):
        return more
    joined = {aspect: list(texts) for aspect, texts in there.items()}
    for aspect, texts in more.items():
        joined[aspect] = list(dict.fromkeys([*joined.get(aspect, []), *texts]))
    return joined


def note_writer(session: Session, code: str, by: str) -> None:
    """``by`` brought in what is pending, and may not approve it."""
    row = _locked(session, code)
    writers = list(dict.fromkeys([*words_of(row).writers, by]))
    row.pending = {**row.pending, _WRITERS: writers}


def _last_position(session: Session) -> int:
    positions = session.scalars(select(Matter.position).order_by(Matter.position.desc()).limit(1))
    return next(iter(positions), 0)
