"""Hot matters (每月一题): the classes of problem, and the places, behind many single requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from config.city import City
from handoff.order.veiled import veiled_titles
from store.engine import reading
from store.tables import WorkOrder, WorkOrderField
from web.wall.days import Day

SHOWN = 8
LEAST = 3
"""Fewer are no class of problem."""


@dataclass(frozen=True, slots=True)
class Hot:
    """A class: how many orders in the period, and how many in the period before."""

    code: str
    name: str
    count: int
    before: int

    @property
    def growth(self) -> float | None:
        """How much more, as a share of before; None where there were none before."""
        return (self.count - self.before) / self.before if self.before else None


def hot_classes(days: Sequence[Day], before: Sequence[Day], names: Mapping[str, str]) -> list[Hot]:
    """The classes with most growth in number, then those with most orders. Pure."""
    now_, then = (sum((Counter(one.codes) for one in some), Counter[str]())
                  for some in (days, before))  # fmt: skip
    found = [Hot(code, names.get(code, code), count, then.get(code, 0))
             for code, count in now_.items() if count >= LEAST]  # fmt: skip
    found.sort(key=lambda hot: (hot.before - hot.count, -hot.count, hot.code))
    return found[:SHOWN]


def class_names(city: City) -> dict[str, str]:
    """What the codes are called."""
    return {leaf.code: leaf.name for leaf in city.classes.leaves()}


def hot_places(engine: Engine, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Places from which at least ``LEAST`` requests came: found by their marks, so also sealed.

    Each is named by its newest order, as the place itself may be sealed.
    """
    with reading(engine) as session:
        groups = session.execute(
            select(func.count(), func.max(WorkOrder.number))
            .select_from(WorkOrderField)
            .join(WorkOrder, WorkOrder.id == WorkOrderField.order_id)
            .where(WorkOrder.created_at >= since, WorkOrder.created_at < until)
            .where(WorkOrderField.name == "where", WorkOrderField.mark != "")
            .group_by(WorkOrderField.mark)
            .having(func.count() >= LEAST)
            .order_by(func.count().desc(), func.max(WorkOrder.number).desc())
            .limit(SHOWN)
        ).all()
        numbers = {str(number): int(count) for count, number in groups}
        rows = session.scalars(select(WorkOrder).where(WorkOrder.number.in_(numbers))).all()
        shown = veiled_titles(session, rows)
        titles = {row.number: shown[row.id] for row in rows}
    return [
        {"number": number, "title": titles.get(number, ""), "count": count}
        for number, count in numbers.items()
    ]
