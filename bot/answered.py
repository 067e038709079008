"""Write what is told, and what is noted of the turn that it answers. Synchronous.

A turn costs two transactions: one when it is heard (`bot.records`), one when it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from bot.history import PAUSED
from bot.joined import SPOKEN
from bot.records import locked
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
        talk = locked(session, conversation)
        turn = _turn_of(session, conversation, in_reply_to) if in_reply_to and answerer else None
        if turn is not None and turn.answerer:
            if turn.answerer != answerer:
                return None
            turn.answer_by = None
        _note(talk, turn, notes)
        after, told = _last_told(session, conversation), list[Told]()
        for position, reply in enumerate(replies, 1):
            row = _told_row(conversation, reply, speaker, at, in_reply_to)
            row.last = position == len(replies)
            session.add(row)
            session.flush()  # seq is the order in which things were told
            told.append(Told(row.seq, conversation, speaker, reply, at, in_reply_to, row.last))
        return Written(after, tuple(told))


def _told_row(
    conversation: str, reply: Reply, speaker: Speaker, at: datetime, in_reply_to: str
) -> Turn:
    return Turn(
        conversation_id=conversation, speaker=speaker, kind=reply.type, heard=None,
        in_reply_to=in_reply_to, text=getattr(reply, "text", ""), reply=wire.dump(reply), at=at,
        audio_start_ms=None, audio_end_ms=None,
    )  # fmt: skip


def _last_told(session: Session, conversation: str) -> int:
    seq = session.scalar(
        select(Turn.seq)
        .where(Turn.conversation_id == conversation)
        .where(Turn.speaker != "citizen", Turn.kind != SPOKEN)
        .order_by(Turn.seq.desc())
        .limit(1)
    )
    return seq or 0


def note(engine: Engine, conversation: str, heard: str, notes: Notes) -> None:
    """Note ``notes`` of the turn ``heard``; '' for what concerns the talk, not one turn of it."""
    with writing(engine) as session:
        talk = locked(session, conversation)
        _note(talk, _turn_of(session, conversation, heard) if heard else None, notes)


def _note(talk: Conversation | None, turn: Turn | None, notes: Notes) -> None:
    if turn is not None:
        if notes.known is not None:
            turn.understood, turn.decision = wire.dump(notes.known), notes.known.decision
        if notes.timings:
            turn.timings = {**turn.timings, **notes.timings}
    if talk is not None:
        if notes.known is not None:
            talk.slots = [wire.dump(slot) for slot in notes.known.slots]
        if notes.context is not None:
            talk.context = wire.dump(notes.context)
        if notes.counts is not None:
            talk.misses, talk.silences = notes.counts


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
