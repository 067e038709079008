"""What who waits for a person still tells goes into the order that the person will have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, select

from handoff.classify import Rules
from handoff.order.writing import latest
from handoff.refill import refill
from store.engine import reading
from store.tables import WorkOrderField
from turns.orders import OrderField, Provenance

FACTS = frozenset({
    "where", "detail", "when", "phone", "contact", "name", "amount", "people", "employer", "period",
    "against",
})  # fmt: skip
"""What somebody tells of their case; all else follows from it."""
Note = Callable[[Engine, str, datetime], tuple[OrderField, ...]]


def noter(rules: Rules) -> Note:
    """Fills the newest order of a conversation further; all its fields, () where no fact came."""

    def note(engine: Engine, conversation: str, now: datetime) -> tuple[OrderField, ...]:
        order = _newest(engine, conversation)
        changed = refill(engine, order, now, rules) if order else ()
        return _fields(engine, order) if FACTS.intersection(changed) else ()

    return note


def note_nothing(_engine: Engine, _conversation: str, _now: datetime) -> tuple[OrderField, ...]:
    """For a core without orders' rules."""
    return ()


def _newest(engine: Engine, conversation: str) -> str:
    with reading(engine) as session:
        order = latest(session, conversation)
        return order.id if order is not None else ""


def _fields(engine: Engine, order: str) -> tuple[OrderField, ...]:
    with reading(engine) as session:
        rows = session.scalars(
            select(WorkOrderField)
            .where(WorkOrderField.order_id == order)
            .order_by(WorkOrderField.id)
        )
        return tuple(
            OrderField(
                row.name, row.value,
                Provenance(row.turn, row.quote, row.at, row.confidence, row.rule, row.confirmed_by),
            )
            for row in rows
        )  # fmt: skip
