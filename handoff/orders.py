"""Write a work order exactly once, with its number, history and outbox entry in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.engine import writing
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import (
    Conversation,
    HandoffEntry,
    OrderEvent,
    OrderNumber,
    Outbox,
    WorkOrder,
    WorkOrderField,
)
from turns.orders import OrderDraft, OrderField, WrittenOrder

_TITLE_LIMIT = 60


def write(engine: Engine, draft: OrderDraft, *, now: datetime) -> WrittenOrder:
    """Write ``draft``, or return what its ``key`` wrote before (``repeated``).

    ``now`` is aware and in the city's zone: its day is the number's day. The number is
    ``YYYYMMDD`` and five digits, gapless within the day, since it is counted up in the same
    transaction that inserts the order.
    """

    def step(session: Session) -> WrittenOrder:
        _conversation(session, draft.conversation)
        return _write(session, draft, now)

    return _exactly_once(engine, step)


def write_handoff(
    engine: Engine, draft: OrderDraft, *, handoff: str, reason: str, now: datetime
) -> WrittenOrder:
    """Write the order of a hand-over and the citizen's entry in the queue, both or neither.

    A conversation that already wrote an order (a finished complaint form) is handed over with that
    one; fields that ``draft`` knows and the order lacks are added. ``handoff`` is the entry's id:
    asked twice, it stands in the queue once.
    """

    def step(session: Session) -> WrittenOrder:
        _conversation(session, draft.conversation)
        order = _latest(session, draft.conversation)
        written = _told(order, repeated=True) if order else _write(session, draft, now)
        if order:
            _add_missing(session, order, draft, now)
        _enter_queue(session, draft, written, handoff, reason, now)
        return written

    return _exactly_once(engine, step)


def _conversation(session: Session, conversation: str) -> Conversation | None:
    """The conversation, locked: orders of one citizen are written one after the other.

    Always locked before the day's number, so that two writers never wait for each other.
    """
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)


def _exactly_once(engine: Engine, step: Callable[[Session], WrittenOrder]) -> WrittenOrder:
    try:
        with writing(engine) as session:
            written = step(session)
    except IntegrityError:  # somebody else wrote the same key first: theirs is the truth
        with writing(engine) as session:
            written = step(session)
    return written


def _write(session: Session, draft: OrderDraft, now: datetime) -> WrittenOrder:
    found = session.scalar(select(WorkOrder).where(WorkOrder.key == draft.key))
    if found:
        return _told(found, repeated=True)
    order = WorkOrder(
        id=hashlib.sha256(draft.key.encode()).hexdigest()[:32],
        key=draft.key,
        number=_next_number(session, now.date()),
        conversation_id=draft.conversation,
        channel=draft.channel,
        line=draft.line,
        kind=draft.kind,
        urgency=draft.urgency,
        state="受理",
        title=draft.title[:_TITLE_LIMIT],
        matter=draft.matter,
        department=draft.department,
        created_at=now,
    )
    session.add(order)
    session.flush()
    session.add_all(_row(order.id, field) for field in draft.fields)
    _note(session, order, "accepted", now, {"key": draft.key}, to_state="受理")
    session.add(
        Outbox(key=f"order:{order.id}", topic="order.created", created_at=now, sent_at=None,
               payload={"order": order.id, "number": order.number}),
    )  # fmt: skip
    return _told(order, repeated=False)


def _next_number(session: Session, day: date) -> str:
    one_at_a_time(session, "order_number")  # the day's row may not be there to be locked
    row = session.get(OrderNumber, day)
    if row is None:
        row = OrderNumber(day=day, last=0)
        session.add(row)
    row.last += 1
    session.flush()
    return f"{day:%Y%m%d}{row.last:05d}"


def _row(order_id: str, field: OrderField) -> WorkOrderField:
    return WorkOrderField(
        order_id=order_id, name=field.name, value=field.value, former=[], **asdict(field.provenance)
    )


def _latest(session: Session, conversation: str) -> WorkOrder | None:
    return session.scalar(
        select(WorkOrder)
        .where(WorkOrder.conversation_id == conversation)
        .order_by(WorkOrder.created_at.desc(), WorkOrder.number.desc())
        .limit(1)
    )


def _add_missing(session: Session, order: WorkOrder, draft: OrderDraft, now: datetime) -> None:
    names = set(
        session.scalars(select(WorkOrderField.name).where(WorkOrderField.order_id == order.id))
    )
    added = [field for field in draft.fields if field.name not in names]
    session.add_all(_row(order.id, field) for field in added)
    if draft.urgency == "danger":
        order.urgency = draft.urgency
    if added:
        _note(session, order, "completed", now, {"fields": [field.name for field in added]})


def _enter_queue(
    session: Session,
    draft: OrderDraft,
    written: WrittenOrder,
    handoff: str,
    reason: str,
    now: datetime,
) -> None:
    if session.get(HandoffEntry, handoff):
        return
    session.add(
        HandoffEntry(id=handoff, conversation_id=draft.conversation, order_id=written.id,
                     reason=reason, urgency=draft.urgency, created_at=now, changed_at=now),
    )  # fmt: skip
    conversation = _conversation(session, draft.conversation)
    if conversation is not None and conversation.state == "bot":
        conversation.state = "waiting"
    session.add(
        Outbox(key=f"handoff:{handoff}", topic="handoff.requested", created_at=now, sent_at=None,
               payload={"handoff": handoff, "order": written.id}),
    )  # fmt: skip
    order = session.get(WorkOrder, written.id)
    if order is not None:
        _note(session, order, "handed_over", now, {"reason": reason})


def _note(
    session: Session,
    order: WorkOrder,
    event: str,
    now: datetime,
    data: dict[str, Any],
    to_state: str = "",
) -> None:
    session.add(
        OrderEvent(order_id=order.id, at=now, actor="bot", event=event, data=data,
                   to_state=to_state),
    )  # fmt: skip


def _told(order: WorkOrder, *, repeated: bool) -> WrittenOrder:
    return WrittenOrder(order.id, order.number, order.created_at, repeated)
