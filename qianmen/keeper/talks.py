"""Calls that a dead process left open: ended where they must long be over."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from bot.records import end_conversation
from qianmen.keeper.duty import Duty, Keeping
from store.engine import reading
from store.tables import Conversation, Turn

EVERY = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""No call lasts longer; one that a process died with has no end of its own."""
QUIET = timedelta(hours=4)
"""Nor is there a call in which nobody is heard for so long."""
_log = structlog.get_logger(__name__)


def end_left_open(keeping: Keeping, now: datetime) -> int:
    """End them when they were last heard of; how many. Who waits for a person goes on waiting."""
    last = func.max(Turn.at)
    query = (
        select(Conversation.id, Conversation.started_at, last)
        .outerjoin(Turn, Turn.conversation_id == Conversation.id)
        .where(Conversation.channel == "phone", Conversation.ended_at.is_(None))
        .where(Conversation.started_at < now - LONGEST)
        .group_by(Conversation.id, Conversation.started_at)
    )
    with reading(keeping.engine) as session:
        found = [(call, heard or began) for call, began, heard in session.execute(query)]
    over = [(call, heard) for call, heard in found if heard < now - QUIET]
    for call, heard in over:
        end_conversation(keeping.engine, call, heard, keeping.city.queue)
    if over:
        _log.warning("calls_left_open", code="calls_left_open", calls=len(over))
    return len(over)


def _duty(keeping: Keeping, now: datetime) -> None:
    end_left_open(keeping, now)


DUTIES = (Duty("calls_left_open", EVERY, _duty),)
