"""A form that its citizen finished after they had been handed over: one matter, one order."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.links import updates
from handoff.order.retold import is_open, take
from handoff.order.rows import tell
from handoff.order.writing import Terms, add_missing, beside, latest, note
from store.tables import WorkOrder, WorkOrderField
from turns.orders import OrderDraft


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
        if row is not None and is_open(row) and field.provenance.at > row.at:
            changed += [field.name] if row.value != field.value else []
            take(row, field)
    add_missing(session, order, draft, terms)
    if changed:
        order.edition += 1
        order.changed_at = terms.now
        note(session, order, "completed", terms, {"fields": changed})
        tell(session, order, "completed", terms.now)
        session.flush()
        updates.fields_told(session, order, changed, terms.now)
