"""A form that its citizen finished after they had been handed over: one matter, one order."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.order.edits import RULE as BY_HAND
from handoff.order.rows import tell
from handoff.order.writing import Terms, add_missing, beside, latest, note
from store.tables import WorkOrder, WorkOrderField
from turns.orders import OrderDraft, OrderField


def handed_over(session: Session, draft: OrderDraft) -> WorkOrder | None:
    """The open order of a hand-over that came while ``draft``'s form was being filled, or None.

    Who asks for a person in the middle of a form and finishes it while they wait has told one
    matter, not two: its content was told before that order was made.
    """
    content = next((field for field in draft.fields if field.name == "what"), None)
    order = latest(session, draft.conversation)
    if content is None or order is None or order.closed_at or order.merged_into:
        return None
    if not order.key.startswith("handoff:") or content.provenance.at > order.created_at:
        return None
    written = session.scalar(select(WorkOrder.id).where(WorkOrder.key == draft.key))
    return None if written else order


def told_anew(session: Session, order: WorkOrder, draft: OrderDraft, terms: Terms) -> None:
    """What ``draft`` knows of ``order`` by now: its later values too, where no person decided."""
    rows = session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order.id))
    known = {row.name: row for row in rows}
    changed = []
    for field in beside(draft, order).fields:
        row = known.get(field.name)
        is_open = row is not None and not row.confirmed_by and row.rule != BY_HAND
        if row is not None and is_open and field.provenance.at > row.at:
            changed += [field.name] if row.value != field.value else []
            _take(row, field)
    add_missing(session, order, draft, terms)
    if changed:
        order.edition += 1
        order.changed_at = terms.now
        note(session, order, "completed", terms, {"fields": changed})
        tell(session, order, "completed", terms.now)


def _take(row: WorkOrderField, field: OrderField) -> None:
    """The former value keeps where it came from; a new list, so that the change is seen."""
    if row.value != field.value:
        until = field.provenance.at.isoformat()
        row.former = [
            *row.former,
            {"value": row.value, "turn": row.turn, "quote": row.quote, "at": row.at.isoformat(),
             "confidence": row.confidence, "rule": row.rule, "by": "bot", "until": until},
        ]  # fmt: skip
    row.value = field.value
    for name, value in asdict(field.provenance).items():
        setattr(row, name, value)
