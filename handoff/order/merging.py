"""并单: several orders about one matter become one; what hung on them follows, and comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.order.model import Event, Step
from handoff.order.rows import add_event
from store.tables import Callback, Linkage, OrderEvent, WorkOrder

_MOVED: Final = "moved"


def joined(session: Session, row: WorkOrder, main: WorkOrder, taken: Step) -> Step:
    """Move what hangs on ``row`` to ``main``; the step, which now remembers what was moved.

    Moved are open call-backs, what other parties were told (their references), orders that repeat
    this one, and orders that were merged into it before. Linkages that are still on their way stay:
    the far side is told of the order that is in danger.
    """
    orders = select(WorkOrder).where(WorkOrder.id != main.id).order_by(WorkOrder.id)
    moved = {
        "callbacks": _move(
            session.scalars(
                select(Callback).where(Callback.order_id == row.id, Callback.state == "open")
            ).all(), "order_id", main.id),
        "links": _move(
            session.scalars(
                select(Linkage).where(Linkage.order_id == row.id,
                                      Linkage.state.not_in(("waiting", "sent")))
            ).all(), "order_id", main.id),
        "repeats": _move(
            session.scalars(orders.where(WorkOrder.repeats == row.id)).all(), "repeats", main.id),
        "merged": _move(
            session.scalars(orders.where(WorkOrder.merged_into == row.id)).all(),
            "merged_into", main.id),
    }  # fmt: skip
    event = taken.event
    add_event(session, main, _seen_from(main, event, "took_over", {"from": row.number}))
    return replace(taken, event=replace(event, data={**event.data, _MOVED: moved}))


def parted(session: Session, row: WorkOrder, taken: Step) -> None:
    """Bring back what the merge moved, unless somebody has moved it on since."""
    merge = session.scalar(
        select(OrderEvent)
        .where(OrderEvent.order_id == row.id, OrderEvent.event == "merge")
        .order_by(OrderEvent.id.desc())
        .limit(1)
    )
    main = session.get(WorkOrder, row.merged_into)
    if merge is None or main is None:
        return
    moved = merge.data.get(_MOVED, {})
    for table, name, ids in (
        (Callback, "order_id", moved.get("callbacks", ())),
        (Linkage, "order_id", moved.get("links", ())),
        (WorkOrder, "repeats", moved.get("repeats", ())),
        (WorkOrder, "merged_into", moved.get("merged", ())),
    ):
        _bring_back(session, table, name, ids, main.id, row.id)
    add_event(session, main, _seen_from(main, taken.event, "gave_back", {"to": row.number}))


def _seen_from(main: WorkOrder, event: Event, name: str, data: dict[str, Any]) -> Event:
    return Event(name, event.at, event.by, main.state, main.state, event.text, data)


def _move(rows: Sequence[Any], name: str, to: str) -> list[Any]:
    for row in rows:
        setattr(row, name, to)
    return [row.id for row in rows]


def _bring_back(
    session: Session, table: type[Any], name: str, ids: Iterable[Any], main: str, back: str
) -> None:
    for key in ids:
        row = session.get(table, key)
        if row is not None and getattr(row, name) == main:
            setattr(row, name, back)
