"""主办 and 协办 of an order: who has it never stands among those who help. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from turns.orders import OrderDraft, OrderField

BETWEEN = "、"
"""What stands between the departments of a field's value."""


def helping(department: str, names: Iterable[str]) -> tuple[str, ...]:
    """协办 beside ``department``: each named once, in their order."""
    told = (name.strip() for name in names)
    return tuple(dict.fromkeys(name for name in told if name and name != department))


def helping_text(department: str, value: str) -> str:
    """As :func:`helping`, of a field's value."""
    return BETWEEN.join(helping(department, value.split(BETWEEN)))


def apart(draft: OrderDraft, department: str = "") -> OrderDraft:
    """``draft`` whose 协办 never names 主办: ``department``, else the draft's own."""
    main = department or draft.department
    return replace(
        draft,
        departments=helping(main, draft.departments),
        fields=tuple(field for each in draft.fields if (field := _apart(each, main)) is not None),
    )


def _apart(field: OrderField, main: str) -> OrderField | None:
    """None for a field of 协办 that names 主办 alone."""
    if field.name != "departments":
        return field
    value = helping_text(main, field.value)
    return replace(field, value=value) if value else None
