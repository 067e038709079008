"""The veils of orders (``handoff.veil``), read from the database. Synchronous."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.veil import Veil, veil_of
from store.tables import WorkOrder, WorkOrderField

_TELLING = ("name", "phone", "contact", "second_phone", "id_number", "what", "against")


def veils(session: Session, orders: Iterable[str]) -> dict[str, Veil]:
    """The veil of each of ``orders`` (ids), in one journey to the database for all of them."""
    wanted = list(orders)
    if not wanted:
        return {}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    rows = session.execute(
        select(WorkOrderField.order_id, WorkOrderField.name, WorkOrderField.value).where(
            WorkOrderField.order_id.in_(wanted), WorkOrderField.name.in_(_TELLING)
        )
    )
    for order, name, value in rows:
        found[order][name] = value
    return {order: veil_of(found[order]) for order in wanted}


def veiled_titles(session: Session, orders: Iterable[WorkOrder]) -> dict[str, str]:
    """Titles by the order's id, as anybody may read them: of secret orders behind their veil."""
    rows = list(orders)
    over = veils(session, (row.id for row in rows if row.secret))
    return {row.id: over[row.id].over(row.title) if row.secret else row.title for row in rows}
