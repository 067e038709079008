"""Overdue orders: 催办, 督办 and 提级 by the city's table, each once, each with an alarm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from config.orders import VERBS, Escalation, OrderRules
from handoff.alarms import raise_alarm
from handoff.order import deadlines
from handoff.order.life import step, why_not
from handoff.order.model import OrderState, Values
from handoff.order.rows import locked, state_of, states_of, store
from store.engine import reading, writing
from store.tables import Alarm, WorkOrder

BY = "system"
PORTION = 200
_LATE = {"sign": "签收", "answer": "办理", "dispatch": "派单"}


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due to be done to an order: ``verb`` '' only alarms. ``rule``: its key."""

    number: str
    late: str
    verb: str
    rule: str


def due_of(order: OrderState, rules: OrderRules, now: datetime) -> tuple[Due, ...]:
    """All that the table says of ``order`` at ``now``, done already or not. Pure."""
    if order.merged_into or order.closed_at is not None:
        return ()
    found = []
    dispatch_by = _dispatch_by(order, rules)
    if dispatch_by is not None and now > dispatch_by:
        found.append(Due(order.number, "dispatch", "", f"dispatch::{dispatch_by.isoformat()}"))
    for row in rules.escalation:
        limit = _limit(order, row)
        if limit is None or now <= deadlines.after(limit, row.after, rules):
            continue
        span = f"{row.after.minutes}m" if row.after.workdays is None else f"{row.after.workdays}d"
        rule = f"{row.late}:{row.do}:{span}:{limit.isoformat()}"
        found.append(Due(order.number, row.late, row.do, rule))
    return tuple(found)


def _dispatch_by(order: OrderState, rules: OrderRules) -> datetime | None:
    if order.state != "受理" or order.due_at is None:  # written before there were deadlines
        return None
    return deadlines.due_by(
        "dispatch", order.urgency, order.kind, order.department, order.facts.begun_at, rules
    )


def _limit(order: OrderState, row: Escalation) -> datetime | None:
    if row.late == "sign":
        return order.sign_by if order.state == "派单" else None
    return order.due if order.answered_at is None else None


def escalate(engine: Engine, rules: OrderRules, now: datetime) -> tuple[Due, ...]:
    """Do what is due and was not done yet; each in a transaction of its own. What was done."""
    done = []
    for portion in _late_orders(engine, rules, now):
        done += [due for due in portion if _do(engine, due, rules, now)]
    return tuple(done)


def _late_orders(engine: Engine, rules: OrderRules, now: datetime) -> Iterator[list[Due]]:
    after = ""
    while True:
        with reading(engine) as session:
            rows = _late_rows(session, now, after)
            dues = [(order.id, due) for order in states_of(session, rows)
                    for due in due_of(order, rules, now)]  # fmt: skip
            fresh = _not_yet(session, dues)
        if not rows:
            return
        after = rows[-1].id
        yield fresh


def _late_rows(session: Session, now: datetime, after: str) -> Sequence[WorkOrder]:
    due = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at)
    late = or_(
        and_(WorkOrder.state == "受理", WorkOrder.due_at.is_not(None)),
        and_(WorkOrder.state == "派单", WorkOrder.sign_by < now),
        and_(WorkOrder.answered_at.is_(None), due < now),
    )
    wanted = (
        select(WorkOrder)
        .where(WorkOrder.closed_at.is_(None), WorkOrder.merged_into.is_(None))
        .where(WorkOrder.erased_at.is_(None), WorkOrder.id > after)
        .where(late)
        .order_by(WorkOrder.id)
        .limit(PORTION)
    )
    return session.scalars(wanted).all()


def _not_yet(session: Session, dues: list[tuple[str, Due]]) -> list[Due]:
    keys = {_key(order, due): due for order, due in dues}
    done = set(session.scalars(select(Alarm.key).where(Alarm.key.in_(keys)))) if keys else set()
    return [due for key, due in keys.items() if key not in done]


def _key(order: str, due: Due) -> str:
    return f"order:{order}:{due.rule}"


def _do(engine: Engine, due: Due, rules: OrderRules, now: datetime) -> bool:
    """Do it unless somebody did meanwhile; the alarm's key is what makes it happen once."""
    with writing(engine) as session:
        row = locked(session, due.number)
        order = state_of(session, row)
        if due not in due_of(order, rules, now):
            return False
        refused = bool(due.verb) and bool(why_not(order, due.verb, rules, now))
        text = _text(due, refused=refused)
        if not raise_alarm(session, _key(row.id, due), f"order_late_{due.late}", row.number, text,
                           now):  # fmt: skip
            return False
        if due.verb and not refused:
            taken = step(order, due.verb, rules, by=BY, now=now, values=Values(rule=due.rule))
            store(session, row, taken.order, taken.event)
    return True


def _text(due: Due, *, refused: bool) -> str:
    late = f"工单{due.number}{_LATE[due.late]}超时"
    if not due.verb:
        return late
    return f"{late}，请处理" if refused else f"{late}，已自动{VERBS[due.verb]}"
