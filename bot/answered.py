"""Write what is told, and what is noted of the turn that it answers. Synchronous.

A turn costs two transactions: one when it is heard (`bot.records`), one when it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from bot import rows
from bot.history import PAUSED
from store.engine import writing
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
        connection = rows.hold(session, conversation)
        found = rows.find_turn(connection, conversation, in_reply_to)
        if in_reply_to and answerer:
            if found.answerer and found.answerer != answerer:
                return None
            turn = _of_turn(notes, found.timings or {}) | {"answer_by": None}
            rows.change_turn(connection, conversation, in_reply_to, turn)
        rows.change_talk(connection, conversation, _of_talk(notes))
        told = list[Told]()
        for position, reply in enumerate(replies, 1):  # seq is the order in which things were told
            row = Told(0, conversation, speaker, reply, at, in_reply_to, position == len(replies))
            told.append(rows.add_told(connection, row))
        return Written(found.after or 0, tuple(told))


def note(engine: Engine, conversation: str, heard: str, notes: Notes) -> None:
    """Note ``notes`` of the turn ``heard``; '' for what concerns the talk, not one turn of it."""
    with writing(engine) as session:
        connection = rows.hold(session, conversation)
        timings = rows.find_turn(connection, conversation, heard).timings or {}
        rows.change_turn(connection, conversation, heard, _of_turn(notes, timings))
        rows.change_talk(connection, conversation, _of_talk(notes))


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


def note_aside(engine: Engine, heard: Heard, known: Understood) -> None:
    """Note how a turn was understood that belongs to an order, not to the talk's form."""
    _change(engine, heard, _of_turn(Notes(known), {}))


def note_pause(engine: Engine, heard: Heard) -> None:
    """Note that with this turn the citizen only wanted us to wait."""
    _change(engine, heard, {"decision": PAUSED})


def _change(engine: Engine, heard: Heard, changes: dict[str, Any]) -> None:
    with writing(engine) as session:
        connection = rows.hold(session, heard.conversation)
        rows.change_turn(connection, heard.conversation, heard.id, changes)


def note_timings(
    engine: Engine, conversation: str, heard: str, timings: dict[str, float], answerer: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add to what a citizen's turn cost, by part, in ms; what was noted before, and is now.

    It ends the claim of ``answerer``, also where nothing was told.
    """
    with writing(engine) as session:
        connection = rows.hold(session, conversation)
        found = rows.find_turn(connection, conversation, heard)
        if found.timings is None:
            return {}, {}
        changes: dict[str, Any] = {"timings": {**found.timings, **timings}}
        if answerer and found.answerer == answerer:
            changes["answer_by"] = None
        rows.change_turn(connection, conversation, heard, changes)
        return found.timings, changes["timings"]
