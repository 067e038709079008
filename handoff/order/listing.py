"""Orders found by state, urgency, person and deadline, the most pressing first. Synchronous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, func, or_, select

from config.links import CALLER_FIELDS
from handoff.order.model import Event, OrderState
from handoff.order.rows import history, states_of
from handoff.order.veiled import veiled_titles, veils
from store.engine import reading
from store.tables import WorkOrder, WorkOrderField

MOST = 500
_URGENCIES = ("danger", "urgent", "normal")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is listed; empty is everything. ``number`` is the beginning of one; ``due_by`` lists
    what must be answered until then; ``overdue`` what is late at ``now``; ``open`` what is not
    closed.
    """

    states: tuple[str, ...] = ()
    urgency: str = ""
    agent: str = ""
    number: str = ""
    due_by: datetime | None = None
    overdue: bool = False
    open: bool = False
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """One order of a list; the title of a secret one does not tell who reported it."""

    order: OrderState
    title: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One order with what it holds. ``fields``: name, value, rule, who confirmed it.

    ``main`` is the number it was merged into, ``merged`` the numbers merged into it, ``repeats``
    the number of the order it repeats.
    """

    listed: Listed
    summary: str
    channel: str
    line: str
    fields: tuple[tuple[str, str, str, str], ...]
    events: tuple[Event, ...]
    main: str
    merged: tuple[str, ...]
    repeats: str


def listed(engine: Engine, wanted: Wanted, now: datetime) -> tuple[Listed, ...]:
    """At most ``wanted.limit`` orders: danger first, then by deadline, then the newest."""
    due = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at)
    pressing = case(
        {name: n for n, name in enumerate(_URGENCIES)}, value=WorkOrder.urgency, else_=9
    )
    query = (
        select(WorkOrder)
        .where(*_conditions(wanted, now, due))
        .order_by(pressing, due.is_(None), due, WorkOrder.number.desc())
        .limit(max(1, min(wanted.limit, MOST)))
    )
    with reading(engine) as session:
        rows = session.scalars(query).all()
        states = states_of(session, rows)
        titles = veiled_titles(session, rows)
        return tuple(Listed(state, titles[row.id]) for row, state in zip(rows, states, strict=True))


def _conditions(wanted: Wanted, now: datetime, due: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(WorkOrder.state.in_(wanted.states))
    if wanted.urgency:
        found.append(WorkOrder.urgency == wanted.urgency)
    if wanted.agent:
        found.append(WorkOrder.agent == wanted.agent)
    if wanted.number:
        found.append(WorkOrder.number.startswith(wanted.number, autoescape=True))
    if wanted.open or wanted.overdue or wanted.due_by is not None:
        found.append(WorkOrder.closed_at.is_(None))
    if wanted.due_by is not None:
        found.append(and_(WorkOrder.answered_at.is_(None), due <= wanted.due_by))
    if wanted.overdue:
        found.append(overdue_at(now))
    return found


def overdue_at(now: datetime) -> ColumnElement[bool]:
    """The orders that are late: not signed, or not answered, in time."""
    due = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at)
    return or_(
        and_(WorkOrder.state == "派单", WorkOrder.sign_by < now),
        and_(WorkOrder.answered_at.is_(None), WorkOrder.closed_at.is_(None), due < now),
    )


def shown(engine: Engine, number: str, *, caller: bool) -> Shown | None:
    """The order of that number; without ``caller`` nothing that tells who reported, neither the
    fields that name them nor words in the middle of a text.
    """
    with reading(engine) as session:
        row = session.scalar(select(WorkOrder).where(WorkOrder.number == number))
        if row is None:
            return None
        fields = session.scalars(
            select(WorkOrderField)
            .where(WorkOrderField.order_id == row.id)
            .order_by(WorkOrderField.id)
        )
        merged = session.scalars(
            select(WorkOrder.number)
            .where(WorkOrder.merged_into == row.id)
            .order_by(WorkOrder.number)
        )
        main = session.get(WorkOrder, row.merged_into) if row.merged_into else None
        former = session.get(WorkOrder, row.repeats) if row.repeats else None
        over: Callable[[str], str] = str if caller else veils(session, [row.id])[row.id].over
        return Shown(
            listed=Listed(states_of(session, [row])[0], over(row.title)),
            summary=over(row.summary),
            channel=row.channel,
            line=row.line,
            fields=tuple(
                (one.name, "***" if not caller and one.name in CALLER_FIELDS else over(one.value),
                 one.rule, one.confirmed_by)
                for one in fields
            ),
            events=tuple(replace(each, text=over(each.text)) for each in history(session, row.id)),
            main=main.number if main else "",
            merged=tuple(merged),
            repeats=former.number if former else "",
        )  # fmt: skip
