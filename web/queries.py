"""Read work orders and conversations for the pages and the API. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, or_, select
from sqlalchemy.orm import Session

from store.engine import reading
from store.marks import marks_of, normalised
from store.seal import seal_of
from store.tables import Conversation, OrderEvent, Recording, Turn, WorkOrder, WorkOrderField
from web.transcript import TurnView, views

PAGE_SIZE = 50
MAX_SEARCH_CHARS = 60
SEALED_SEARCH_ORDERS = 5000
"""Sealed titles cannot be searched by the database: so many of the newest are opened and read."""
_FOUND_MOST = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; '' is everything; ``page`` counts from 1."""

    search: str = ""
    urgency: str = ""
    kind: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the list shows it."""

    number: str
    created_at: datetime
    channel: str
    line: str
    kind: str
    urgency: str
    state: str
    title: str
    matter: str
    department: str
    conversation: str
    conversation_state: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of the list; ``total`` orders fit what is wanted, on ``pages`` pages."""

    rows: tuple[OrderRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field with where it comes from; ``turn`` is a ``Heard.id`` or ''."""

    name: str
    value: str
    turn: str
    quote: str
    at: datetime
    confidence: float
    rule: str
    confirmed_by: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One step in the order's life."""

    at: datetime
    actor: str
    event: str
    from_state: str
    to_state: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with everything that belongs to it; ``recordings`` are ids."""

    id: str
    row: OrderRow
    fields: tuple[FieldRow, ...]
    events: tuple[EventRow, ...]
    turns: tuple[TurnView, ...]
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with its turns."""

    id: str
    channel: str
    line: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    turns: tuple[TurnView, ...]


def list_orders(engine: Engine, wanted: Wanted) -> OrderPage:
    """The newest orders first.

    Where the city set a key, a search finds parts of numbers, whole telephone numbers, and titles
    among the newest ``SEALED_SEARCH_ORDERS``.
    """
    with reading(engine) as session:
        where = _conditions(engine, session, wanted)
        counted = select(func.count()).select_from(WorkOrder).where(*where)
        total = session.scalar(counted) or 0
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(max(1, wanted.page), pages)
        found = session.execute(
            _with_conversation()
            .where(*where)
            .order_by(WorkOrder.created_at.desc(), WorkOrder.number.desc())
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        ).all()
        rows = tuple(_row(order, state) for order, state in found)
    return OrderPage(rows, total, page, pages)


def order_detail(engine: Engine, number: str) -> OrderDetail | None:
    """The order of that number, or None."""
    with reading(engine) as session:
        found = session.execute(_with_conversation().where(WorkOrder.number == number)).first()
        if found is None:
            return None
        order, state = found
        return OrderDetail(
            id=order.id,
            row=_row(order, state),
            fields=_fields(session, order.id),
            events=_events(session, order.id),
            turns=_turns(session, order.conversation_id),
            recordings=tuple(
                session.scalars(
                    select(Recording.id)
                    .where(Recording.conversation_id == order.conversation_id)
                    .where(Recording.deleted_at.is_(None))
                    .order_by(Recording.started_at)
                )
            ),
        )


def talk(engine: Engine, conversation: str) -> Talk | None:
    """The conversation of that id, or None."""
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        if row is None:
            return None
        return Talk(row.id, row.channel, row.line, row.state, row.started_at, row.ended_at,
                    _turns(session, row.id))  # fmt: skip


def _with_conversation() -> Select[WorkOrder, str]:
    return select(WorkOrder, Conversation.state).join(
        Conversation, Conversation.id == WorkOrder.conversation_id
    )


def _conditions(engine: Engine, session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.urgency:
        conditions.append(WorkOrder.urgency == wanted.urgency)
    if wanted.kind:
        conditions.append(WorkOrder.kind == wanted.kind)
    words = wanted.search.strip()[:MAX_SEARCH_CHARS]
    if words:
        sealed = seal_of(engine) is not None
        conditions.append(_sealed_search(engine, session, words) if sealed else _search(words))
    return conditions


def _sealed_search(engine: Engine, session: Session, words: str) -> ColumnElement[bool]:
    """Part of the number, the whole telephone number, or the title of a new order."""
    found = [WorkOrder.number.contains(words, autoescape=True)]
    if normalised(words).isdecimal():
        marks = marks_of(engine, words)
        told = select(WorkOrderField.order_id).where(WorkOrderField.mark.in_(marks))
        called = select(Conversation.id).where(Conversation.citizen_mark.in_(marks))
        found += [WorkOrder.id.in_(told), WorkOrder.conversation_id.in_(called)]
    newest = select(WorkOrder.id, WorkOrder.title).order_by(WorkOrder.created_at.desc())
    rows = session.execute(newest.limit(SEALED_SEARCH_ORDERS))
    titled = [order for order, title in rows if words.casefold() in title.casefold()]
    return or_(*found, WorkOrder.id.in_(titled[:_FOUND_MOST]))


def _search(words: str) -> ColumnElement[bool]:
    """The number, the title, or the phone number told, in any part."""
    by_phone = select(WorkOrderField.order_id).where(
        WorkOrderField.name == "phone",
        WorkOrderField.value.contains(words.replace(" ", "").replace("-", ""), autoescape=True),
    )
    return or_(
        WorkOrder.number.contains(words, autoescape=True),
        WorkOrder.title.contains(words, autoescape=True),
        WorkOrder.id.in_(by_phone),
    )


def _row(order: WorkOrder, state: str) -> OrderRow:
    return OrderRow(
        number=order.number,
        created_at=order.created_at,
        channel=order.channel,
        line=order.line,
        kind=order.kind,
        urgency=order.urgency,
        state=order.state,
        title=order.title,
        matter=order.matter,
        department=order.department,
        conversation=order.conversation_id,
        conversation_state=state,
    )


def _fields(session: Session, order: str) -> tuple[FieldRow, ...]:
    rows = session.scalars(
        select(WorkOrderField).where(WorkOrderField.order_id == order).order_by(WorkOrderField.id)
    )
    return tuple(
        FieldRow(f.name, f.value, f.turn, f.quote, f.at, f.confidence, f.rule, f.confirmed_by)
        for f in rows
    )


def _events(session: Session, order: str) -> tuple[EventRow, ...]:
    rows = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order).order_by(OrderEvent.id)
    )
    return tuple(EventRow(e.at, e.actor, e.event, e.from_state, e.to_state, e.data) for e in rows)


def _turns(session: Session, conversation: str) -> tuple[TurnView, ...]:
    rows = session.scalars(
        select(Turn).where(Turn.conversation_id == conversation).order_by(Turn.seq)
    )
    return views(rows)
