"""Citizens who are to be told that their danger was acknowledged: whom, and that it was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Linkage, Outbox, Turn, WorkOrder

TOPIC = "tell.acknowledged"
FRESH = timedelta(minutes=10)
"""Later nobody is told any more: the words would come out of the blue."""
_LEASE = timedelta(seconds=10)
_LISTENING = ("bot", "waiting")
"""Whom a person has, that person tells."""


@dataclass(frozen=True, slots=True)
class News:
    """An acknowledgement to be told: outbox entry, conversation, party, order's number, when."""

    entry: int
    conversation: str
    party: str
    number: str
    at: datetime


def claim_news(engine: Engine, now: datetime) -> tuple[News, ...]:
    """Lease what is to be told; entries whose citizen is gone, or was told, are closed."""
    fresh = (Outbox.topic == TOPIC) & Outbox.sent_at.is_(None)
    with reading(engine) as session:
        if session.scalar(select(Outbox.id).where(fresh).limit(1)) is None:
            return ()
    with writing(engine) as session:
        query = select(Outbox).where(fresh).order_by(Outbox.id).limit(50)
        entries = session.scalars(query.with_for_update(skip_locked=True)).all()
        return tuple(news for entry in entries if (news := _claim(session, entry, now)))


def _claim(session: Session, entry: Outbox, now: datetime) -> News | None:
    if float(entry.payload.get("leased_until", 0)) > now.timestamp():
        return None
    link = session.get(Linkage, str(entry.payload.get("link", "")))
    order = session.get(WorkOrder, link.order_id) if link else None
    talk = session.get(Conversation, order.conversation_id) if order else None
    at = link.acknowledged_at if link else None
    if link is None or order is None or talk is None or at is None:
        entry.sent_at = now
        return None
    listens = talk.ended_at is None and talk.state in _LISTENING and now - at <= FRESH
    if not listens or _was_told(session, talk.id, at):
        entry.sent_at = now
        return None
    entry.payload = {**entry.payload, "leased_until": (now + _LEASE).timestamp()}
    return News(entry.id, talk.id, link.party, order.number, at)


def _was_told(session: Session, conversation: str, at: datetime) -> bool:
    """What is told of an acknowledgement carries its very moment."""
    found = session.scalar(
        select(Turn.seq)
        .where(Turn.conversation_id == conversation, Turn.speaker == "system", Turn.at == at)
        .limit(1)
    )
    return found is not None


def told(engine: Engine, news: News, now: datetime) -> None:
    """Close the entry: the citizen was told."""
    with writing(engine) as session:
        entry = session.get(Outbox, news.entry, with_for_update=FOR_CHANGE)
        if entry is not None:
            entry.sent_at = now
