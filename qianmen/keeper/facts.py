"""Read the facts that retention decides on, in small portions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from handoff.queue.callbacks import UNDONE
from handoff.queue.model import ACTIVE
from qianmen.keeper.rules import OrderFacts, TalkFacts
from store.engine import reading
from store.tables import (
    Callback,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Recording,
    Turn,
    WorkOrder,
)

PORTION = 200
WAITING = "waiting"
"""The state of a conversation that nobody has answered yet."""

_Place = tuple[datetime, str]


def old_talks(engine: Engine, before: datetime) -> Iterator[tuple[TalkFacts, ...]]:
    """Portions of the conversations begun before ``before`` that still hold something."""
    after: _Place | None = None
    while True:
        with reading(engine) as session:
            rows = _old_rows(session, before, after)
            portion = talk_facts(session, rows)
        if not rows:
            return
        after = (rows[-1].started_at, rows[-1].id)
        yield portion


def _old_rows(session: Session, before: datetime, after: _Place | None) -> Sequence[Conversation]:
    has_file = select(Recording.conversation_id).where(Recording.deleted_at.is_(None))
    wanted = (
        select(Conversation)
        .where(Conversation.started_at < before)
        .where(or_(Conversation.erased_at.is_(None), Conversation.id.in_(has_file)))
    )
    if after is not None:
        at, name = after
        later = and_(Conversation.started_at == at, Conversation.id > name)
        wanted = wanted.where(or_(Conversation.started_at > at, later))
    ordered = wanted.order_by(Conversation.started_at, Conversation.id).limit(PORTION)
    return session.scalars(ordered).all()


def talk_facts(session: Session, rows: Iterable[Conversation]) -> tuple[TalkFacts, ...]:
    """The facts of these conversations."""
    return tuple(_talk(session, row) for row in rows)


def _talk(session: Session, row: Conversation) -> TalkFacts:
    last = session.scalar(select(func.max(Turn.at)).where(Turn.conversation_id == row.id))
    states = session.scalars(select(WorkOrder.state).where(WorkOrder.conversation_id == row.id))
    recordings = select(Recording.id).where(
        Recording.conversation_id == row.id, Recording.deleted_at.is_(None)
    )
    return TalkFacts(
        id=row.id,
        ended=row.ended_at is not None,
        last_at=max(filter(None, (row.started_at, row.ended_at, last))),
        orders=tuple(states),
        waiting=row.state == WAITING
        or _waits(
            session, HandoffEntry.conversation_id == row.id, Callback.conversation_id == row.id
        ),
        erased=row.erased_at is not None,
        recordings=tuple(session.scalars(recordings.order_by(Recording.started_at))),
    )


def old_orders(engine: Engine, before: datetime) -> Iterator[tuple[OrderFacts, ...]]:
    """Portions of the orders written before ``before`` that still hold something."""
    after: _Place | None = None
    while True:
        wanted = select(WorkOrder).where(
            WorkOrder.created_at < before, WorkOrder.erased_at.is_(None)
        )
        if after is not None:
            at, name = after
            later = and_(WorkOrder.created_at == at, WorkOrder.id > name)
            wanted = wanted.where(or_(WorkOrder.created_at > at, later))
        with reading(engine) as session:
            ordered = wanted.order_by(WorkOrder.created_at, WorkOrder.id).limit(PORTION)
            rows = session.scalars(ordered).all()
            portion = tuple(order_facts(session, row) for row in rows)
        if not rows:
            return
        after = (rows[-1].created_at, rows[-1].id)
        yield portion


def order_facts(session: Session, row: WorkOrder) -> OrderFacts:
    """The facts of one order."""
    last = session.scalar(select(func.max(OrderEvent.at)).where(OrderEvent.order_id == row.id))
    return OrderFacts(
        id=row.id,
        state=row.state,
        last_at=max(filter(None, (row.created_at, last))),
        waiting=_waits(session, HandoffEntry.order_id == row.id, Callback.order_id == row.id),
        erased=row.erased_at is not None,
    )


def _waits(session: Session, entries: ColumnElement[bool], callbacks: ColumnElement[bool]) -> bool:
    """Whether somebody has a person still to talk to, or to be called back by."""
    entry = select(HandoffEntry.id).where(entries, HandoffEntry.state.in_(ACTIVE))
    callback = select(Callback.id).where(callbacks, Callback.state.in_(UNDONE))
    return any(session.scalar(query.limit(1)) is not None for query in (entry, callback))
