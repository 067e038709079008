"""An order's row and history, read as its life sees them, and written back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.orders import VERBS
from handoff.order.model import Event, Facts, OrderError, OrderState, remember
from store.tables import OrderEvent, Outbox, WorkOrder

CHANGED = "order.changed"
"""The outbox's topic for whatever became of an order."""
_COPIED = (
    "state", "edition", "department", "visit", "secret", "agent", "sign_by", "signed_at", "due_at",
    "extended_to", "answered_at", "closed_at", "repeat_count", "urged", "level", "redone",
)  # fmt: skip


def locked(session: Session, number: str) -> WorkOrder:
    """The order's row until the transaction ends; raises :class:`OrderError` ``order_unknown``."""
    row = session.scalar(
        select(WorkOrder).where(WorkOrder.number == number).with_for_update(key_share=True)
    )
    if row is None:
        raise OrderError("order_unknown", f"没有工单 {number[:20]}")
    return row


def both_locked(session: Session, number: str, other: str) -> tuple[WorkOrder, WorkOrder | None]:
    """Two orders' rows, locked in one order always, so that two merges never wait in a circle."""
    rows = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.number.in_((number, other)))
        .order_by(WorkOrder.id)
        .with_for_update(key_share=True)
    )
    found = {row.number: row for row in rows}
    if number not in found:
        raise OrderError("order_unknown", f"没有工单 {number[:20]}")
    return found[number], found.get(other)


def check_edition(row: WorkOrder, edition: int | None) -> None:
    """Raise :class:`OrderError` where somebody changed the order meanwhile, or it was erased."""
    if row.erased_at is not None:
        raise OrderError("order_erased", "这件工单的内容已经删除，不能再改")
    if edition is not None and edition != row.edition:
        raise OrderError("order_changed", "别人刚改过这件工单，请看过新的内容再改")


def state_of(session: Session, row: WorkOrder) -> OrderState:
    """Where the order stands, its facts read from the history."""
    events = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == row.id).order_by(OrderEvent.id)
    )
    return as_state(row, events)


def states_of(session: Session, rows: Iterable[WorkOrder]) -> list[OrderState]:
    """As :func:`state_of` for many, in one journey to the database."""
    found = list(rows)
    lived: dict[str, list[OrderEvent]] = defaultdict(list)
    wanted = (
        select(OrderEvent)
        .where(OrderEvent.order_id.in_([row.id for row in found]), OrderEvent.event.in_(VERBS))
        .order_by(OrderEvent.id)
    )
    for event in session.scalars(wanted):
        lived[event.order_id].append(event)
    return [as_state(row, lived[row.id]) for row in found]


def as_state(row: WorkOrder, events: Iterable[OrderEvent]) -> OrderState:
    """As :func:`state_of`, for who has read the events (oldest first)."""
    facts = Facts(begun_at=row.created_at)
    for event in events:
        if event.event in VERBS:
            facts = remember(facts, event.event, event.at, event.data)
    state = OrderState(
        id=row.id, number=row.number, state=row.state, urgency=row.urgency, kind=row.kind,
        created_at=row.created_at, facts=facts, merged_into=row.merged_into or "",
        departments=tuple(map(str, row.departments or ())),
    )  # fmt: skip
    return replace(state, **{name: getattr(row, name) for name in _COPIED})


def history(session: Session, order: str) -> tuple[Event, ...]:
    """All that happened to the order (its id), oldest first."""
    rows = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order).order_by(OrderEvent.id)
    )
    return tuple(
        Event(row.event, row.at, row.actor, row.from_state, row.to_state, row.text, row.data)
        for row in rows
    )


def store(session: Session, row: WorkOrder, order: OrderState, event: Event) -> None:
    """Write an order's new state, the step that led there, and that others must hear of it."""
    for name in _COPIED:
        setattr(row, name, getattr(order, name))
    row.departments = list(order.departments)
    row.merged_into = order.merged_into or None
    row.changed_at = event.at
    add_event(session, row, event)
    tell(session, row, event.verb, event.at)


def add_event(session: Session, row: WorkOrder, event: Event) -> None:
    """One line of the order's history."""
    session.add(
        OrderEvent(order_id=row.id, at=event.at, actor=event.by, event=event.verb, text=event.text,
                   from_state=event.from_state, to_state=event.to_state, data=event.data),
    )  # fmt: skip


def tell(session: Session, row: WorkOrder, verb: str, now: datetime) -> None:
    """Others hear of it: once for each edition."""
    session.add(
        Outbox(key=f"order:{row.id}:{row.edition}", topic=CHANGED, created_at=now, sent_at=None,
               payload={"order": row.id, "number": row.number, "edition": row.edition,
                        "event": verb, "state": row.state}),
    )  # fmt: skip
