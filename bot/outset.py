"""What answering a turn begins with: its conversation as it stands. Synchronous.

Every turn reads it, so it is one look at the latest few turns; where these do not tell, what is
missing is searched for in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from bot import rows
from bot.history import PAUSED, State, state_of
from store.engine import reading
from store.tables import Conversation, Turn

Told = tuple[dict[str, Any], ...]
_ASKING = ("say", "ask")


@dataclass(frozen=True, slots=True)
class Outset:
    """What answering a turn needs to know of its conversation, all from one moment.

    ``question`` is the id of the open question ('' for none), ``last`` what was told in answer to
    the latest turn that has an answer, dumped.
    """

    state: State
    question: str
    last: Told


def read_outset(engine: Engine, conversation: str) -> Outset | None:
    """What a turn of the conversation begins with, or None where there is none."""
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        return outset_of(session, row) if row else None


def outset_of(session: Session, talk: Any) -> Outset:
    """What a turn of the conversation with the row ``talk`` begins with, as this transaction sees
    it.
    """
    lately, whole = rows.lately(session, talk.id)
    question, last = question_in(lately, whole=whole), last_in(lately, whole=whole)
    return Outset(
        state_of(talk),
        _question(session, talk.id) if question is None else question,
        _last(session, talk.id) if last is None else last,
    )


def question_in(lately: Sequence[Any], *, whole: bool) -> str | None:
    """The id of the question that the bot asked last and the citizen has not answered, or ''.

    None where ``lately``, the latest turns (newest first; ``whole``: there are no others), does not
    tell.
    """
    for row in lately:
        if row.speaker == "bot" and row.kind in _ASKING:
            return _asked(row)
    return "" if whole else None


def _asked(row: Any) -> str:
    return str(row.reply.get("id", "")) if row.kind == "ask" else ""


def last_in(lately: Sequence[Any], *, whole: bool) -> Told | None:
    """What was told in answer to the latest turn that has an answer, dumped; None as above.

    A caller's silence, or wish that we wait, is no turn here: what was asked before it stands.
    """
    heard = {row.heard: row for row in lately if row.heard is not None}
    for row in lately:
        if row.speaker != "bot":
            continue
        turn = heard.get(row.in_reply_to)
        if turn is None and not whole:
            return None  # its turn, and perhaps some of its answer, came before these
        if turn is None or not (turn.kind == "silence" or turn.decision == PAUSED):
            same = (one for one in reversed(lately) if one.speaker == "bot")
            return tuple(one.reply for one in same if one.in_reply_to == row.in_reply_to)
    return () if whole else None


def _question(session: Session, conversation: str) -> str:
    row = session.execute(
        select(Turn.kind, Turn.reply)
        .where(Turn.conversation_id == conversation, Turn.speaker == "bot")
        .where(Turn.kind.in_(_ASKING))
        .order_by(Turn.seq.desc())
        .limit(1)
    ).first()
    return _asked(row) if row is not None else ""


def _last(session: Session, conversation: str) -> Told:
    by_bot = (Turn.conversation_id == conversation, Turn.speaker == "bot")
    answered = (
        select(Turn.in_reply_to)
        .where(*by_bot, Turn.in_reply_to.not_in(_asides(conversation)))
        .order_by(Turn.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = select(Turn.reply).where(*by_bot, Turn.in_reply_to == answered).order_by(Turn.seq)
    return tuple(session.scalars(found))


def _asides(conversation: str) -> Select[str | None]:
    """Turns that say nothing of the matter: silences, and wishes that we wait."""
    return select(Turn.heard).where(
        Turn.conversation_id == conversation, Turn.speaker == "citizen",
        (Turn.kind == "silence") | (Turn.decision == PAUSED),
    )  # fmt: skip
