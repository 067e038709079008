"""Earlier orders of the same person, or of the same place and matter: repeated requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.orders import Repeats
from store.marks import Marker
from store.tables import WorkOrder, WorkOrderField
from store.tables.orders import PLACE, place_identity

MOST = 10
"""So many are shown, the latest first."""
_NO_PLACE = len(PLACE) + 2  # characters up to which a place is anybody's: 小区, 村口

Why = Literal["person", "place", "both"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An order made before. ``why``: the same person, the same place and matter, or both;
    ``same``: its matter is the new one's too, so that it counts as a repeat. ``summary`` is what
    was said then; '' and no title where it was erased.
    """

    order: str
    number: str
    at: datetime
    title: str
    state: str
    summary: str
    code: str
    matter: str
    department: str
    why: Why
    same: bool
    agent: str = ""


def earlier(
    session: Session,
    *,
    phone: str,
    place: str,
    code: str,
    matter: str,
    now: datetime,
    rules: Repeats,
    but: str = "",
) -> tuple[Earlier, ...]:
    """Orders of the last ``rules.days`` days, the latest first, at most :data:`MOST`.

    ``phone``, ``place``: the new order's fields ('' where unknown); ``code``, ``matter``: its class
    and its matter. ``but``: the new order's own id. Values may be sealed: they are found by marks.
    """
    marker: Marker | None = getattr(session.get_bind().dialect, "marker", None)
    since = now - timedelta(days=rules.days)
    person = _orders(session, marker, "phone", phone, since, but)
    where = place_identity(place)
    there = _orders(session, marker, "where", where, since, but) if len(where) > _NO_PLACE else {}
    rows = {**there, **person}.values()
    told = (_earlier(row, row.id in person, row.id in there, code, matter) for row in rows)
    wanted = [one for one in told if one is not None]
    return tuple(sorted(wanted, key=lambda one: one.at, reverse=True)[:MOST])


def _orders(
    session: Session, marker: Marker | None, name: str, value: str, since: datetime, but: str
) -> dict[str, WorkOrder]:
    marks = marker.candidates(value) if marker and value else ()
    if not marks:
        return {}
    rows = session.scalars(
        select(WorkOrder)
        .join(WorkOrderField, WorkOrderField.order_id == WorkOrder.id)
        .where(WorkOrderField.name == name, WorkOrderField.mark.in_(marks))
        .where(WorkOrder.created_at >= since, WorkOrder.id != but)
        .order_by(WorkOrder.created_at.desc())
        .limit(10 * MOST)
    )
    return {row.id: row for row in rows}


def _earlier(row: WorkOrder, person: bool, there: bool, code: str, matter: str) -> Earlier | None:
    same = bool((code and row.code == code) or (matter and row.matter == matter))
    if not person and not same:
        return None  # another's order about something else in the same place
    why: Why = "both" if person and there else "person" if person else "place"
    return Earlier(row.id, row.number, row.created_at, row.title, row.state, row.summary, row.code,
                   row.matter, row.department, why, same, row.agent)  # fmt: skip
