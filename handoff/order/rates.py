"""The three rates of visited orders: 响应率, 解决率, 满意率, each with its denominator. Pure.

How orders count whose citizen could not be reached differs by city (``OrderRules.unreached``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.orders import Unreached
from store.tables import OrderEvent, WorkOrder

CONTENT = frozenset({"satisfied", "fair"})
"""The scores that count as satisfied (满意, 基本满意)."""


@dataclass(frozen=True, slots=True)
class Visited:
    """The last return visit of an order. ``in_time``: it was answered by its deadline.

    ``solved`` None and ``score`` '' where nobody asked or answered.
    """

    reached: bool
    in_time: bool
    solved: bool | None = None
    score: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``of``; ``of`` 0 has no share."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where there is nothing to count."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Rates:
    """``responded`` 响应率, ``solved`` 解决率, ``satisfied`` 满意率; ``unreached`` orders among
    ``visited``, counted as the city says.
    """

    responded: Rate
    solved: Rate
    satisfied: Rate
    visited: int
    unreached: int


def rates(visits: Iterable[Visited], unreached: Unreached = "left_out") -> Rates:
    """The rates of ``visits``, one for each order."""
    every = list(visits)
    reached = [visit for visit in every if visit.reached]
    absent = len(every) - len(reached)
    solved = [visit.solved for visit in reached if visit.solved is not None]
    scores = [visit.score for visit in reached if visit.score]
    more = 0 if unreached == "left_out" else absent
    good = absent if unreached == "satisfied" else 0
    return Rates(
        responded=Rate(sum(visit.in_time for visit in every), len(every)),
        solved=Rate(solved.count(True) + good, len(solved) + more),
        satisfied=Rate(sum(score in CONTENT for score in scores) + good, len(scores) + more),
        visited=len(every),
        unreached=absent,
    )


def visits_of(session: Session, *conditions: Any) -> tuple[Visited, ...]:
    """The last return visit of each order that ``conditions`` on ``WorkOrder`` leave."""
    rows = session.execute(
        select(WorkOrder, OrderEvent)
        .join(OrderEvent, OrderEvent.order_id == WorkOrder.id)
        .where(OrderEvent.event == "visit", *conditions)
        .order_by(OrderEvent.id)
    )
    last = {order.id: (order, event.data) for order, event in rows}
    return tuple(
        Visited(bool(data.get("reached")), _in_time(order), data.get("solved"),
                str(data.get("score", "")))
        for order, data in last.values()
    )  # fmt: skip


def _in_time(order: WorkOrder) -> bool:
    due = order.extended_to or order.due_at
    return order.answered_at is not None and (due is None or order.answered_at <= due)
