"""Who answers a turn: one process at a time, and another one when that dies.

A chat's turn carries the name of the process that took it and until when it has it; the process
renews that while it works. Whoever finds a turn whose time is over takes it. The answer is written
only by who has the turn, in the transaction that ends the claim: so a turn is answered exactly
once. Calls die with their process; their turns are claimed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, select, update

from bot.history import heard_of
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn
from turns.heard import Heard

PHONE = "phone"
LEASE = timedelta(seconds=6)
"""How long a process has a turn without saying that it lives."""
RENEW_S = 2.0
_AT_ONCE = 50

Place = Literal["mine", "behind", "gone"]


@dataclass(frozen=True, slots=True)
class Claim:
    """The process ``by`` answers a turn, until ``until`` unless it says so again."""

    by: str
    until: datetime


def place_of(engine: Engine, heard: Heard, by: str) -> Place:
    """Where ``heard`` stands: ``mine`` to answer now, ``behind`` an earlier turn that another
    process answers, or ``gone``: answered, or somebody else's.
    """
    with reading(engine) as session:
        rows = session.execute(
            select(Turn.heard, Turn.answerer)
            .where(Turn.conversation_id == heard.conversation, Turn.answer_by.is_not(None))
            .order_by(Turn.seq)
        ).all()
    own = next((n for n, row in enumerate(rows) if row.heard == heard.id), None)
    if own is None or rows[own].answerer != by:
        return "gone"
    others = [row for row in rows[:own] if row.answerer != by]
    return "behind" if others else "mine"


def take(engine: Engine, conversation: str, by: str, now: datetime) -> tuple[Heard, ...]:
    """Take over every turn of ``conversation`` whose answerer's time is over, oldest first."""
    with writing(engine) as session:
        row = session.get(Conversation, conversation, with_for_update=FOR_CHANGE)
        if row is None:
            return ()
        taken = []
        for turn in session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation, Turn.answer_by < now)
            .order_by(Turn.seq)
        ):
            turn.answer_by = None if row.state == "ended" else now + LEASE
            turn.answerer = by
            if row.state != "ended":
                taken.append(heard_of(turn, row.channel, row.line))
        return tuple(taken)


def left(engine: Engine, now: datetime) -> tuple[str, ...]:
    """Conversations with a turn that nobody answers any more."""
    with reading(engine) as session:
        found = session.scalars(
            select(Turn.conversation_id).where(Turn.answer_by < now).distinct().limit(_AT_ONCE)
        )
        return tuple(found)


def renew(engine: Engine, by: str, turns: Iterable[tuple[str, str]], now: datetime) -> None:
    """The process lives, and still has ``turns`` (conversation and ``Heard.id``)."""
    with writing(engine) as session:
        for conversation, heard in turns:
            session.execute(
                update(Turn)
                .where(Turn.conversation_id == conversation, Turn.heard == heard)
                .where(Turn.answerer == by, Turn.answer_by.is_not(None))
                .values(answer_by=now + LEASE)
            )


def release(engine: Engine, heard: Heard, by: str) -> None:
    """Nothing is to be told to ``heard``: the conversation is over, or a person has it."""
    with writing(engine) as session:
        session.execute(
            update(Turn)
            .where(Turn.conversation_id == heard.conversation, Turn.heard == heard.id)
            .where(Turn.answerer == by, Turn.answer_by.is_not(None))
            .values(answer_by=None)
        )
