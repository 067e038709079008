"""What a message is answered at once, decided for good: by one transaction, for all its retries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.history import told_after
from chat.wechat.citizens import DOOR, Known, is_pushed
from chat.wechat.merging import Outgoing, Place, Style, pack, pieces_of
from chat.wechat.passive import dumped
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import WechatCitizen, WechatReply

EVERYTHING = 2**31 - 1
"""The cursor behind all that was told."""
_ROUNDS = 3


@dataclass(slots=True)
class Decision:
    """What is to be decided on message ``heard``: one passive message of what was told up to
    ``upto``, or nothing at once (None).

    Who waits for it may give up; what is being committed by then is what was decided.
    """

    known: Known
    heard: str
    upto: int | None
    now: datetime
    style: Style
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _given_up: bool = False
    _committing: str = ""

    def give_up(self) -> str:
        """It takes too long. The body that may stand in the database by now; '' from now on."""
        with self._lock:
            self._given_up = True
            return self._committing

    def commit(self, body: str) -> bool:
        """``body`` is committed next; False where nobody waits for it any more."""
        with self._lock:
            if not self._given_up:
                self._committing = body
            return not self._given_up


def decide(engine: Engine, decision: Decision) -> str:
    """What this message, and every retry of it, is answered (``chat.wechat.passive.dumped``).

    The cursor moves behind it in the same transaction; what is left is for who pushes.
    Synchronous. Raises SQLAlchemyError.
    """
    known = decision.known
    for _ in range(_ROUNDS):
        plan = _plan(engine, known, decision)
        with writing(engine) as session:
            found = _settled(session, known, decision, plan)
        if not isinstance(found, Place):
            return found
        known = replace(known, place=found)
    with writing(engine) as session:
        found = _settled(session, known, decision, None)
    return found if isinstance(found, str) else ""


def _plan(engine: Engine, known: Known, decision: Decision) -> Outgoing | None:
    if decision.upto is None:
        return None
    told = told_after(engine, known.conversation, known.place.cursor)
    pieces = pieces_of(one for one in told if one.cursor <= decision.upto)
    return next(iter(pack(pieces, 1, known.place, decision.style)), None)


def _settled(
    session: Session, known: Known, decision: Decision, outgoing: Outgoing | None
) -> str | Place:
    """What was decided, by us or before us; the place where the citizen stands by now."""
    row = session.get(WechatCitizen, known.citizen, with_for_update=FOR_CHANGE)
    reply = session.get(WechatReply, decision.heard, with_for_update=FOR_CHANGE)
    if reply is None or row is None:  # erased meanwhile
        return ""
    if reply.body is None:
        fits = row.conversation_id == known.conversation and not is_pushed(row, decision.now)
        body = dumped(outgoing.message) if outgoing is not None and fits else ""
        if body and Place(row.cursor, row.part) != known.place:
            return Place(row.cursor, row.part)
        if outgoing is not None and body and decision.commit(body):
            row.cursor, row.part = outgoing.place.cursor, outgoing.place.part
            row.tries, row.changed_at = 0, decision.now
            reply.body = body
        else:
            reply.body = ""
    if row.claimed_by == f"{DOOR}{decision.heard}":
        row.claimed_by, row.claimed_until = "", None
    return reply.body
