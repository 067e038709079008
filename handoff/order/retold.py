"""Fields of an order that are told anew: the former value keeps where it came from."""

from __future__ import annotations

from dataclasses import asdict, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import WorkOrder, WorkOrderField
from turns.orders import OrderDraft, OrderField

BY_HAND = "agent"
"""The rule that filled a field which somebody of the staff wrote."""
DANGER = "said.danger"
"""The rule that fills the content with danger that was told in the middle of something else."""
_LONGEST = 4000


def is_open(row: WorkOrderField) -> bool:
    """Whether nobody decided on the field."""
    return not row.confirmed_by and row.rule != BY_HAND


def take(row: WorkOrderField, field: OrderField) -> None:
    """Let ``field`` stand in ``row``; a new list, so that the change is seen."""
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


def tell_danger(session: Session, order: WorkOrder, draft: OrderDraft) -> tuple[str, ...]:
    """Danger that ``draft`` tells and the content does not hold yet comes before it.

    The names of what changed; what somebody decided stays.
    """
    told = next((one for one in draft.fields if one.name == "what"), None)
    row = session.scalar(
        select(WorkOrderField).where(
            WorkOrderField.order_id == order.id, WorkOrderField.name == "what"
        )
    )
    if told is None or told.provenance.rule != DANGER or row is None or not is_open(row):
        return ()
    words = told.provenance.quote
    if not words or words in row.value or len(row.value) + len(words) >= _LONGEST:
        return ()
    take(row, replace(told, value=f"{words}；{row.value}"))
    return ("what",)
