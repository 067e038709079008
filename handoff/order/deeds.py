"""What people and duties do to orders: each deed one transaction, with its history and outbox.

A deed is guarded by ``handoff.order.life``; ``edition`` refuses whoever has not seen the last
change. Nothing is told to others that is not committed, nothing committed stays untold.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from config.orders import OrderRules
from handoff.order import merging
from handoff.order.edits import confirm as confirm
from handoff.order.edits import edit as edit
from handoff.order.life import follow, following, step
from handoff.order.life import may as may
from handoff.order.model import Event, OrderError, OrderState, Step, Values
from handoff.order.rows import both_locked, check_edition, locked, state_of, store
from store.engine import reading, writing
from store.tables import OrderEvent, Survey, WorkOrder


def do(
    engine: Engine,
    number: str,
    verb: str,
    *,
    by: str,
    now: datetime,
    rules: OrderRules,
    edition: int | None = None,
    **values: Any,
) -> OrderState:
    """Take one step; the order after it.

    ``values`` are those of :class:`handoff.order.model.Values`, but ``into`` is a number. ``by`` is
    a login, or bot, citizen, system. Raises :class:`OrderError`; then nothing has changed.
    """
    with writing(engine) as session:
        return do_in(session, number, verb, by=by, now=now, rules=rules, edition=edition, **values)


def do_in(
    session: Session,
    number: str,
    verb: str,
    *,
    by: str,
    now: datetime,
    rules: OrderRules,
    edition: int | None = None,
    **values: Any,
) -> OrderState:
    """As :func:`do`, in the caller's transaction."""
    into = str(values.pop("into", "") or "")
    row, main = both_locked(session, number, into) if into else (locked(session, number), None)
    check_edition(row, edition)
    given = _values(values, state_of(session, main) if main else None)
    taken = step(state_of(session, row), verb, rules, by=by, now=now, values=given)
    if verb == "merge" and main is not None:
        taken = merging.joined(session, row, main, taken)
    elif verb == "unmerge":
        merging.parted(session, row, taken)
    store(session, row, taken.order, taken.event)
    if verb == "visit":
        _keep_visit(session, row, taken)
    _lead(session, row, taken)
    session.flush()
    return taken.order


def look(engine: Engine, number: str) -> OrderState | None:
    """Where the order stands; None for a number that nobody has."""
    with reading(engine) as session:
        row = session.scalar(select(WorkOrder).where(WorkOrder.number == number))
        return state_of(session, row) if row else None


def _values(values: dict[str, Any], main: OrderState | None) -> Values:
    try:
        return Values(**values, into=main)
    except TypeError:
        raise OrderError("value_unknown", "给了这个步骤不认识的内容") from None


def _keep_visit(session: Session, row: WorkOrder, taken: Step) -> None:
    """A return visit is kept with the surveys: that it was tried, and what came of it."""
    tries = session.scalar(
        select(func.count())
        .select_from(OrderEvent)
        .where(OrderEvent.order_id == row.id, OrderEvent.event == "visit")
    )
    data, at = taken.event.data, taken.event.at
    session.add(
        Survey(key=f"visit:{row.id}:{tries}", conversation_id=row.conversation_id,
               order_id=row.id, about="order", agent=taken.event.by, how="visit",
               score=data["score"], solved=data["solved"], why=taken.event.text, asked_at=at,
               answered_at=at if data["reached"] else None),
    )  # fmt: skip


def _lead(session: Session, row: WorkOrder, taken: Step) -> None:
    """Orders that were merged into this one go where it goes."""
    order, event = taken.order, taken.event
    if event.from_state == event.to_state and event.verb not in ("redo", "close"):
        return
    rows = session.scalars(
        select(WorkOrder)
        .where(WorkOrder.merged_into == row.id)
        .order_by(WorkOrder.id)
        .with_for_update(key_share=True)
    ).all()
    data = following(order)
    for each in rows:
        before = state_of(session, each)
        after = follow(before, data, order.state)
        told = {**data, "main": row.number}
        step_taken = Event("follow", event.at, event.by, before.state, after.state, "", told)
        store(session, each, after, step_taken)
