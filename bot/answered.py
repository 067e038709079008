"""Write what is told, and what is noted of the turn that it answers. Synchronous.

A turn costs two transactions: one when it is heard (`bot.records`), one when it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, select, update
from sqlalchemy.orm import Session, aliased

from bot.history import PAUSED
from bot.joined import SPOKEN
from bot.records import hold, locked
from store.engine import writing
from store.tables import Conversation, Turn
from turns import wire
from turns.context import Context
from turns.heard import Heard
from turns.replies import Reply, Speaker, Told
from turns.understood import Understood


@dataclass(frozen=True, slots=True)
class Notes:
    """What is noted of a citizen's turn: how it was ``known``, what the talk is about now
    (``context``), how many misses and silences stand in a row (``counts``), what it cost by part,
    ms (``timings``). What is None or empty stays as it is.
    """

    known: Understood | None = None
    context: Context | None = None
    counts: tuple[int, int] | None = None
    timings: dict[str, float] = field(default_factory=dict)


NOTHING = Notes()
_TOLD, _OWN = aliased(Turn), aliased(Turn)
_AFTER = (
    select(_TOLD.seq)
    .where(_TOLD.conversation_id == bindparam("conversation"))
    .where(_TOLD.speaker != "citizen", _TOLD.kind != SPOKEN)
    .order_by(_TOLD.seq.desc())
    .limit(1)
)
_MINE = (_OWN.conversation_id == bindparam("conversation"), _OWN.heard == bindparam("heard"))
_TURN = select(
    _AFTER.scalar_subquery().label("after"),
    select(_OWN.answerer).where(*_MINE).scalar_subquery().label("answerer"),
    select(_OWN.timings).where(*_MINE).scalar_subquery().label("timings"),
)
"""The cursor of what was told last; a turn's claim and timings, None where there is none."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was told, all of it behind the cursor ``after``."""

    after: int
    told: tuple[Told, ...]


def commit_told(
    engine: Engine,
    conversation: str,
    replies: tuple[Reply, ...],
    *,
    speaker: Speaker,
    at: datetime,
    in_reply_to: str = "",
    answerer: str = "",
    notes: Notes = NOTHING,
) -> Written | None:
    """Write what is told, in order; the last one is marked so that readers know it is all.

    It ends the claim on turn ``in_reply_to``, and ``notes`` of that turn are written with it. None,
    and nothing is written, where ``answerer`` has lost that turn to another process.
    """
    with writing(engine) as session:
        hold(session, conversation)
        found = session.execute(_TURN, {"conversation": conversation, "heard": in_reply_to}).one()
        if in_reply_to and answerer:
            if found.answerer and found.answerer != answerer:
                return None
            turn = _of_turn(notes, found.timings or {}) | {"answer_by": None}
            _change(session, Turn, turn, conversation_id=conversation, heard=in_reply_to)
        _change(session, Conversation, _of_talk(notes), id=conversation)
        told = list[Told]()
        for position, reply in enumerate(replies, 1):
            row = _told_row(conversation, reply, speaker, at, in_reply_to)
            row.last = position == len(replies)
            session.add(row)
            session.flush()  # seq is the order in which things were told
            told.append(Told(row.seq, conversation, speaker, reply, at, in_reply_to, row.last))
        return Written(found.after or 0, tuple(told))


def _told_row(
    conversation: str, reply: Reply, speaker: Speaker, at: datetime, in_reply_to: str
) -> Turn:
    return Turn(
        conversation_id=conversation, speaker=speaker, kind=reply.type, heard=None,
        in_reply_to=in_reply_to, text=getattr(reply, "text", ""), reply=wire.dump(reply), at=at,
        audio_start_ms=None, audio_end_ms=None,
    )  # fmt: skip


def note(engine: Engine, conversation: str, heard: str, notes: Notes) -> None:
    """Note ``notes`` of the turn ``heard``; '' for what concerns the talk, not one turn of it."""
    with writing(engine) as session:
        hold(session, conversation)
        found = session.execute(_TURN, {"conversation": conversation, "heard": heard}).one()
        turn = _of_turn(notes, found.timings or {})
        _change(session, Turn, turn, conversation_id=conversation, heard=heard)
        _change(session, Conversation, _of_talk(notes), id=conversation)


def _of_turn(notes: Notes, timings: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if notes.known is not None:
        changes |= {"understood": wire.dump(notes.known), "decision": notes.known.decision}
    if notes.timings:
        changes["timings"] = {**timings, **notes.timings}
    return changes


def _of_talk(notes: Notes) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if notes.known is not None:
        changes["slots"] = [wire.dump(slot) for slot in notes.known.slots]
    if notes.context is not None:
        changes["context"] = wire.dump(notes.context)
    if notes.counts is not None:
        changes["misses"], changes["silences"] = notes.counts
    return changes


def _change(
    session: Session, table: type[Turn | Conversation], changes: dict[str, Any], **of: str
) -> None:
    """Change a row without reading it: a turn waits for this."""
    if changes:
        session.execute(
            update(table).filter_by(**of).values(changes),
            execution_options={"synchronize_session": False},
        )


def note_aside(engine: Engine, heard: Heard, known: Understood) -> None:
    """Note how a turn was understood that belongs to an order, not to the talk's form."""
    with writing(engine) as session:
        locked(session, heard.conversation)
        turn = _turn_of(session, heard.conversation, heard.id)
        if turn is not None:
            turn.understood, turn.decision = wire.dump(known), known.decision


def note_pause(engine: Engine, heard: Heard) -> None:
    """Note that with this turn the citizen only wanted us to wait."""
    with writing(engine) as session:
        locked(session, heard.conversation)
        turn = _turn_of(session, heard.conversation, heard.id)
        if turn is not None:
            turn.decision = PAUSED


def note_timings(
    engine: Engine, conversation: str, heard: str, timings: dict[str, float], answerer: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add to what a citizen's turn cost, by part, in ms; what was noted before, and is now.

    It ends the claim of ``answerer``, also where nothing was told.
    """
    with writing(engine) as session:
        locked(session, conversation)
        turn = _turn_of(session, conversation, heard)
        if turn is None:
            return {}, {}
        if answerer and turn.answerer == answerer:
            turn.answer_by = None
        before = turn.timings
        turn.timings = {**before, **timings}
        return before, turn.timings


def _turn_of(session: Session, conversation: str, heard: str) -> Turn | None:
    return session.scalar(
        select(Turn).where(Turn.conversation_id == conversation, Turn.heard == heard)
    )
