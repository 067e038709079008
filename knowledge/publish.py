"""Publishing: what editors approved becomes what is said, through the gate, and back one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from knowledge.editing import Act, EditError, MatterWords, Place, Version
from knowledge.gate import Side, examine
from knowledge.gatekeeper import Gatekeeper
from knowledge.gateresult import GateResult
from knowledge.load import advance
from knowledge.published import revision, snapshot
from knowledge.releasing import Publication as Publication
from knowledge.releasing import ReleaseNote as ReleaseNote
from knowledge.releasing import Releasing
from knowledge.releasing import releases as releases
from knowledge.schedule import put_in, resume, take_out
from knowledge.search import Search
from knowledge.staging import Selection as Selection
from knowledge.staging import Staged, mark, search_over, staged
from knowledge.undoing import take_back
from knowledge.versionrows import key_of, locked, note, rows_of, touched, version_of
from knowledge.wording import speech_of
from knowledge.words import words_of
from store.engine import reading, writing
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import Answer, Matter

ALL_APPROVED = Selection()
_ATTEMPTS = 3
_gatekeeper = Gatekeeper()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What publishing would do, and whether the gate lets it."""

    result: GateResult
    versions: tuple[Version, ...]
    matters: tuple[MatterWords, ...]


Hook = Callable[[Sequence[Version]], None]
"""Called after publishing with the versions that are new."""


def rehearse(
    engine: Engine, place: Place, now: datetime, selection: Selection = ALL_APPROVED, *,
    live: Search | None = None,
) -> Rehearsal:  # fmt: skip
    """Run the gate without publishing. ``selection`` may name drafts too (state is not asked).

    ``live``: a search the caller has (``Published.search()``); its trained parts are used again.
    Takes seconds: call it in a thread.
    Raises ``answer_unknown``, ``matter_unknown``, ``wording_invalid``, ``words_invalid``,
    ``nothing_to_publish``.
    """
    with reading(engine) as session:
        found = staged(session, place, now, selection, approved=False)
    _refuse_nothing(found)
    return Rehearsal(_gatekeeper.judge(found, place, now, live), found.versions, found.matters)


def ask_everything(
    engine: Engine, place: Place, now: datetime, *, live: Search | None = None
) -> GateResult:
    """Ask all golden questions of what is published now. Takes seconds."""
    with reading(engine) as session:
        found = snapshot(session)
    return examine(Side(found, search_over(found, place, live)), now)


def would_be(
    engine: Engine, place: Place, now: datetime, selection: Selection, *,
    live: Search | None = None,
) -> Search:  # fmt: skip
    """The search as it would be with ``selection`` published, to try questions on."""
    with reading(engine) as session:
        found = staged(session, place, now, selection, approved=False)
    return search_over(found.after, place, live)


def publish(
    engine: Engine, act: Act, place: Place, selection: Selection = ALL_APPROVED, *,
    why: str = "", live: Search | None = None, done: Hook | None = None,
) -> Publication:  # fmt: skip
    """Publish approved versions and approved words of matters in one transaction.

    Every process says them from its next search on. A version that starts later is kept ready: the
    present one is said until the day before. The gate runs outside the transaction, so that turns
    of citizens can be written meanwhile; where somebody else published while it ran, it runs again.
    Takes seconds: call it in a thread.

    Raises ``gate_refused``, ``nothing_to_publish``, ``step_refused`` (not approved),
    ``wording_invalid``, ``words_invalid``, ``publish_busy``.
    """
    for _ in range(_ATTEMPTS):
        with reading(engine) as session:
            found = staged(session, place, act.at, selection, approved=True)
        _refuse_nothing(found)
        result = _gatekeeper.judge(found, place, act.at, live)
        _refuse_conflicts(result)
        with writing(engine) as session:
            made = _make_live(session, act, place, found, result, why)
        if made is not None:
            _log.info("knowledge_published", release=made.release, revision=made.revision,
                      answers=len(made.versions), matters=len(made.matters))  # fmt: skip
            if done is not None:
                done(made.versions)
            return made
    raise EditError("publish_busy", "别人也在发布，请再试一次")


def retire(
    engine: Engine, act: Act, place: Place, version: int, *, edition: int, why: str
) -> Publication:
    """Stop saying a published version; a release of its own, so that it can be undone.

    Where it had not started yet, the present one keeps its own last day.
    Raises ``answer_unknown``, ``edit_conflict``, ``step_refused``, ``reason_missing``.
    """
    if not why.strip():
        raise EditError("reason_missing", "停用要写理由")
    with writing(engine) as session:
        one_at_a_time(session, "knowledge")
        row = locked(session, version, edition)
        if row.state != "published":
            raise EditError("step_refused", "只有已发布的答复可以停用", state=row.state)
        said = _said(session, row)
        releasing = Releasing(session, act, why)
        releasing.before(*said)
        take_out(session, act, row, why)
        row.changed_by = act.by  # an import from files leaves it alone from now on
        if row.valid_from > place.day(act.at):
            resume(session, act, [other for other in said if other is not row])
        return releasing.done(advance(session, act.at), None, [row])


def undo_last(engine: Engine, act: Act, *, why: str = "") -> Publication:
    """Take the newest release back, one step: what was said before is said again.

    What it had published is approved again (or pending), not lost. Asks no gate: it was said
    before. Raises ``nothing_to_undo``, ``undo_conflict``.
    """
    with writing(engine) as session:
        one_at_a_time(session, "knowledge")
        return take_back(session, act, why)


def _refuse_nothing(found: Staged) -> None:
    if not found.versions and not found.matters:
        raise EditError("nothing_to_publish", "没有批准了、等着发布的内容")


def _refuse_conflicts(result: GateResult) -> None:
    if not result.ok:
        count = len(result.conflicts)
        raise EditError(
            "gate_refused", f"发布检查没有通过，有 {count} 处冲突：{result.conflicts[0].message}",
            **result.as_json(),
        )  # fmt: skip


def _make_live(
    session: Session, act: Act, place: Place, found: Staged, result: GateResult, why: str
) -> Publication | None:
    """Write everything; None where something has changed since ``found`` was read."""
    one_at_a_time(session, "knowledge")
    rows = [_row(session, version.id) for version in found.versions]
    matters = [_matter(session, words.code) for words in found.matters]
    if _mark_now(session, rows, matters) != found.mark:
        return None
    releasing = Releasing(session, act, why)
    for row in rows:
        said = _said(session, row)
        releasing.before(row, *said)
        put_in(session, act, row, said, place.day(act.at))
        row.state, row.speech = "published", speech_of(version_of(session, row).wording)
        touched(row, act.at)
        note(session, act, row, "published", before="approved", why=why)
    for matter in matters:
        releasing.before_words(matter)
        _publish_words(matter, act)
    return releasing.done(advance(session, act.at), result, rows, matters)


def _mark_now(
    session: Session, rows: Sequence[Answer], matters: Sequence[Matter]
) -> tuple[object, ...]:
    versions = [version_of(session, row) for row in rows]
    return mark(revision(session), versions, [words_of(matter) for matter in matters])


def _publish_words(matter: Matter, act: Act) -> None:
    for name, value in words_of(matter).pending.items():
        setattr(matter, name, value)
    matter.pending = {}
    matter.edition += 1
    matter.changed_at, matter.changed_by = act.at, act.by


def _said(session: Session, row: Answer) -> list[Answer]:
    return [one for one in rows_of(session, key_of(row)) if one.state == "published"]


def _row(session: Session, version: int) -> Answer:
    return session.get_one(Answer, version, with_for_update=FOR_CHANGE, populate_existing=True)


def _matter(session: Session, code: str) -> Matter:
    return session.get_one(Matter, code, with_for_update=FOR_CHANGE, populate_existing=True)
