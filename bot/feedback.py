"""A citizen's thumb on a published answer. Synchronous."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Feedback, Turn
from turns.replies import Say
from turns.wire import WireError, load_reply

Thumb = Literal["up", "down"]


def rate(engine: Engine, conversation: str, heard: str, value: Thumb, at: datetime) -> bool:
    """Note what the citizen thinks of the published answer to their turn ``heard``.

    The last word counts. False where this conversation has no such answer: a page may send
    anything.
    """
    with writing(engine) as session:
        if session.get(Conversation, conversation, with_for_update=FOR_CHANGE) is None:
            return False
        answer = _answer_to(session, conversation, heard)
        if not answer:
            return False
        row = session.scalar(
            select(Feedback).where(
                Feedback.conversation_id == conversation, Feedback.heard == heard
            )
        )
        if row is None:
            row = Feedback(conversation_id=conversation, heard=heard)
            session.add(row)
        row.answer, row.value, row.at = answer, value, at
        return True


def _answer_to(session: Session, conversation: str, heard: str) -> str:
    """The id of the published answer that was told to a turn, '' if there was none."""
    told = select(Turn.reply).where(
        Turn.conversation_id == conversation, Turn.in_reply_to == heard, Turn.speaker == "bot"
    )
    for reply in session.scalars(told.order_by(Turn.seq)):
        try:
            loaded = load_reply(reply)
        except WireError:  # written by another version
            continue
        if isinstance(loaded, Say) and loaded.answer:
            return loaded.answer
    return ""
