"""Repeated requests: found when the order is made, counted, and raised at the city's threshold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.orders import OrderRules
from handoff.alarms import raise_alarm
from handoff.order.life import step, why_not
from handoff.order.model import Values
from handoff.order.rows import state_of, store
from handoff.repeats import earlier
from store.tables import WorkOrder, WorkOrderField

BY = "system"
RULE = "repeated"


def count_repeats(session: Session, order: WorkOrder, rules: OrderRules, now: datetime) -> None:
    """Tie ``order`` to the latest earlier one about the same; raise it where they are too many.

    Counted are this order and those about the same matter within the city's days, by the same
    person or from the same place. Called again when more is known of the order.
    """
    if order.repeats is not None:
        return
    told = session.scalars(
        select(WorkOrderField).where(
            WorkOrderField.order_id == order.id, WorkOrderField.name.in_(("phone", "where"))
        )
    )
    fields = {field.name: field.value for field in told}
    same = [
        one
        for one in earlier(
            session, phone=fields.get("phone", ""), place=fields.get("where", ""), code=order.code,
            matter=order.matter, now=now, rules=rules.repeats, but=order.id,
        )
        if one.same
    ]  # fmt: skip
    if not same:
        return
    order.repeats = same[0].order
    order.repeat_count = 1 + len(same)
    session.flush()
    _raise_often(session, order, rules, now)


def _raise_often(session: Session, order: WorkOrder, rules: OrderRules, now: datetime) -> None:
    often = 0 < rules.repeats.raise_at <= order.repeat_count
    state = state_of(session, order)
    if not often or why_not(state, "raise", rules, now):
        return
    taken = step(state, "raise", rules, by=BY, now=now, values=Values(rule=RULE))
    store(session, order, taken.order, taken.event)
    level = rules.levels[taken.order.level - 1]
    text = f"工单{order.number}是第{order.repeat_count}次反映，已提级到{level}"
    raise_alarm(session, f"order:{order.id}:{RULE}", "order_repeated", order.number, text, now)
