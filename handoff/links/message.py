"""What others are told of an order: JSON, in bytes, with no more than they may know."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.links import CALLER_FIELDS, Caller, Party, Target
from handoff.veil import veil_of
from store.tables import WorkOrder, WorkOrderField

PLACES = frozenset({"where", "district", "street", "community", "detail"})
"""Where danger is must be known to the door, whoever lives there."""


def of_danger(
    session: Session,
    order: WorkOrder,
    party: Party,
    *,
    delivery: str,
    dangers: Sequence[str],
    at: datetime,
    update: Sequence[str] = (),
) -> bytes:
    """The message that tells ``party`` of danger: the whole order but, perhaps, who called.

    ``dangers``: topics, the first one first. ``update`` names what is new where the party was told
    before: fields, or danger.
    """
    told = _facts(order) | {"fields": _fields(session, order, None, party.caller, shown=PLACES)}
    return _json({"type": "order.danger", "id": delivery, "at": at.isoformat(),
                  "to": party.name, "danger": next(iter(dangers), ""), "dangers": list(dangers),
                  "update": list(update), "order": told})  # fmt: skip


def of_news(
    session: Session,
    target: Target,
    *,
    delivery: str,
    topic: str,
    payload: Mapping[str, Any],
    at: datetime,
) -> bytes:
    """The message that tells ``target`` of ``topic``; the order as it stands now.

    ``payload`` is the outbox entry's: ids, numbers and codes.
    """
    order = session.get(WorkOrder, str(payload.get("order", "")))
    told = None
    if order is not None:
        caller: Caller = "never" if order.secret else target.caller
        fields = _fields(session, order, target.fields, caller)
        told = _facts(order) | {"fields": fields}
    more = {name: value for name, value in payload.items() if name not in ("order", "number")}
    return _json({"type": topic, "id": delivery, "at": at.isoformat(),
                  "to": target.name, "order": told, "data": more})  # fmt: skip


def _facts(order: WorkOrder) -> dict[str, Any]:
    """What holds nothing of a citizen's."""
    return {
        "number": order.number, "edition": order.edition, "state": order.state,
        "kind": order.kind, "urgency": order.urgency, "code": order.code, "matter": order.matter,
        "department": order.department, "departments": list(order.departments or ()),
        "channel": order.channel, "line": order.line, "secret": order.secret,
        "created_at": order.created_at.isoformat(),
        "due_at": order.due_at.isoformat() if order.due_at else None,
        "erased": order.erased_at is not None,
    }  # fmt: skip


def _fields(
    session: Session,
    order: WorkOrder,
    wanted: Collection[str] | None,
    caller: Caller,
    shown: Collection[str] = (),
) -> dict[str, str]:
    """The order's fields by name; ``wanted`` None: all. Who reported only where ``caller`` lets.

    Nor do the words of a secret order tell it, but for those of ``shown``.
    """
    if order.erased_at is not None:
        return {}
    rows = session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order.id))
    found = {"title": order.title, "summary": order.summary} | {
        row.name: row.value for row in rows
    }  # fmt: skip
    tells_caller = caller == "always" or (caller == "unless_secret" and not order.secret)
    text = veil_of(found).over if order.secret and not tells_caller else str
    return {
        name: value if name in shown else text(value) for name, value in found.items()
        if value and (wanted is None or name in wanted)
        and (tells_caller or name not in CALLER_FIELDS)
    }  # fmt: skip


def _json(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
