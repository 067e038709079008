"""An agent's answer to what they were offered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue import metrics
from handoff.queue.assign import has_room
from handoff.queue.model import Entry, QueueError
from handoff.queue.rows import (
    change,
    current,
    entry_of,
    lock_entry,
    put_back,
    seats,
)
from handoff.queue.talks import answered
from store.engine import writing
from store.tables import Conversation, HandoffEntry

_ALARMS_AT_ONCE = 20


def accept(
    engine: Engine, offer: str, login: str, now: datetime, rules: QueueRules | None = None
) -> Entry:
    """``login`` takes what they were offered: a chat is theirs at once, of a call their telephone
    is to be rung. Again is harmless. ``rules``: the usual ones where none are given.

    Raises :class:`QueueError` ``offer_gone``, ``not_yours``, ``full``.
    """
    with writing(engine) as session:
        row = _offered(session, offer, login, also=("accepted", "connected"))
        if row.state != "offered":
            return entry_of(row)
        _check_room(session, row, login, rules or QueueRules())
        change(session, row, "taken", now, actor=login, state="accepted", accepted_at=now,
               offer_until=None)  # fmt: skip
        if row.channel != PHONE:
            _talk(session, row, now)
        taken = entry_of(row)
    metrics.offers.labels("accepted").inc()
    return taken


def decline(engine: Engine, offer: str, login: str, now: datetime) -> None:
    """``login`` cannot take it: it goes to somebody else. Raises :class:`QueueError`
    ``offer_gone``, ``not_yours``."""
    with writing(engine) as session:
        row = _offered(session, offer, login)
        put_back(session, row, "declined", now, front=False)
    metrics.offers.labels("declined").inc()


def _offered(session: Session, offer: str, login: str, also: tuple[str, ...] = ()) -> HandoffEntry:
    """The entry of an open offer (or, of this very offer, in one of the states ``also``)."""
    try:
        row = lock_entry(session, offer.rpartition("@")[0])
    except QueueError:
        raise QueueError("offer_gone") from None
    if row.offer != offer or row.state not in ("offered", *also):
        raise QueueError("offer_gone")
    if row.agent != login:
        raise QueueError("not_yours")
    return row


def _talk(session: Session, row: HandoffEntry, now: datetime) -> None:
    """A chat needs no telephone: whoever accepts it is there."""
    talk = session.get(Conversation, row.conversation_id)
    if talk is not None:
        talk.state = "agent"
    change(session, row, "connected", now, data={"agent": row.agent}, state="connected",
           connected_at=row.connected_at or now, wanted_agent="", front=False)  # fmt: skip
    answered(session, row, now)


def _check_room(session: Session, row: HandoffEntry, login: str, rules: QueueRules) -> None:
    others = [each for each in current(session) if each.handoff != row.id]
    seat = next((seat for seat in seats(session, others) if seat.login == login), None)
    if seat is None or not has_room(seat, call=row.channel == PHONE, rules=rules):
        raise QueueError("full")
