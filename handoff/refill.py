"""Fill an order further while people talk: read its conversation again, keep what people decided.

What nobody confirmed or wrote by hand may be made better, and keeps its former values; what
somebody decided never changes. Read twice, the same turns change nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from handoff.classify import Rules
from handoff.content import content
from handoff.filled import CLASSED, assembled, fields_filled
from handoff.links import linkage, updates
from handoff.order import deadlines
from handoff.order.departments import BETWEEN, helping_text
from handoff.order.model import Event
from handoff.order.repeated import count_repeats
from handoff.order.retold import is_open
from handoff.order.rows import add_event, tell
from handoff.order.writing import former_of, latest
from handoff.talkturns import from_first, spoken_turns
from handoff.told import Spoken
from handoff.wishes import NO, YES
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, WorkOrder, WorkOrderField
from turns.orders import OrderField, Provenance

BY = "bot"
_COLUMNS = ("kind", "code", "department", "departments", "title", "summary")
_ROUTED = ("kind", "code", "department", "departments")  # settled once the order is dispatched
_URGENCY = ("normal", "urgent", "danger")
_TITLE = 60


def refill(engine: Engine, order_id: str, now: datetime, rules: Rules) -> tuple[str, ...]:
    """Fill the order from its conversation as it stands; the names of what changed.

    One short transaction. () for an order that is unknown, erased, closed or merged, or that is
    neither the one that a person has of its conversation nor the newest. ``now`` is aware.
    """
    with writing(engine) as session:
        order = _open_order(session, order_id)
        if order is None:
            return ()
        rows = _rows(session, order.id)
        fields = map(_as_field, rows.values())
        turns = from_first(spoken_turns(session, order.conversation_id), fields)
        found = _routed(_found(turns, rows, rules), rows, turns, order)
        changed = _fill(session, order, rows, found, turns, now)
        changed += _fill_columns(session, order, rows, now, rules)
        if not changed:
            return ()
        order.edition += 1
        order.changed_at = now
        names = list(dict.fromkeys(changed))
        event = Event("completed", now, BY, order.state, order.state, "", {"fields": names})
        add_event(session, order, event)
        tell(session, order, "completed", now)
        session.flush()
        count_repeats(session, order, rules.city.orders, now)
        if "urgency" in names and order.urgency == "danger":
            linkage.write(session, order, danger="", now=now, rules=rules.city.links)
        updates.fields_told(session, order, names, now)
        return tuple(names)


def _open_order(session: Session, order_id: str) -> WorkOrder | None:
    """The order, locked as who writes orders locks: the conversation first."""
    seen = session.get(WorkOrder, order_id)
    if seen is None:
        return None
    session.get(Conversation, seen.conversation_id, with_for_update=FOR_CHANGE)
    order = session.get(WorkOrder, order_id, with_for_update=FOR_CHANGE, populate_existing=True)
    if order is None or order.erased_at or order.closed_at or order.merged_into:
        return None
    return order if latest(session, order.conversation_id) is order else None


def _rows(session: Session, order_id: str) -> dict[str, WorkOrderField]:
    rows = session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order_id))
    return {row.name: row for row in rows}


def _found(
    turns: Sequence[Spoken], rows: Mapping[str, WorkOrderField], rules: Rules
) -> dict[str, OrderField]:
    """What the turns tell, with the content; the class by all of it."""
    found = {field.name: field for field in fields_filled(turns, rules)}
    row = rows.get("what")
    if row is None or is_open(row):
        what = content(turns, _as_field(row) if row else None)
        found |= {"what": what} if what else {}
    return found


def _routed(
    found: dict[str, OrderField],
    rows: Mapping[str, WorkOrderField],
    turns: Sequence[Spoken],
    order: WorkOrder,
) -> dict[str, OrderField]:
    """``found`` while the order is not dispatched, nobody in it 主办 and 协办 at once."""
    if order.state != "受理":
        return {name: field for name, field in found.items() if name not in _ROUTED}
    helpers, main = rows.get("departments"), found.get("department")
    if main and helpers and not is_open(helpers) and main.value in helpers.value.split(BETWEEN):
        del found["department"]
        main = None
    row = rows.get("department")
    if main and (row is None or _better(row, main, _places(turns))):
        department = main.value
    else:
        department = row.value if row else order.department
    told = found.pop("departments", None) or (_as_field(helpers) if helpers else None)
    if told is not None:
        value = helping_text(department, told.value)
        if value or helpers:
            found["departments"] = replace(told, value=value)
    return found


def _places(turns: Sequence[Spoken]) -> dict[str, int]:
    """Which turn came how manieth."""
    return {turn.id: at for at, turn in enumerate(turns)}


def _fill(
    session: Session,
    order: WorkOrder,
    rows: dict[str, WorkOrderField],
    found: Mapping[str, OrderField],
    turns: Sequence[Spoken],
    now: datetime,
) -> list[str]:
    """Add what is missing, and what is told later where nobody decided."""
    place = _places(turns)
    changed = []
    for name, field in found.items():
        row = rows.get(name)
        if row is None:
            rows[name] = _new(order.id, field)
            session.add(rows[name])
            changed.append(name)
        elif _better(row, field, place):
            _replace(row, field, now)
            changed.append(name)
    return changed


def _better(row: WorkOrderField, field: OrderField, place: Mapping[str, int]) -> bool:
    """Whether ``field`` was told later than what stands there, which nobody decided on."""
    if not is_open(row) or row.value == field.value:
        return False
    if field.name == "departments" and field.provenance == _as_field(row).provenance:
        return True  # the same, without who became 主办
    if field.name == "urgency":
        return _URGENCY.index(field.value) > _URGENCY.index(row.value)
    if field.name == "secret":
        return field.value == YES
    follows = field.provenance.rule.startswith(CLASSED)
    if follows and not row.rule.startswith(CLASSED):
        return False
    before, after = place.get(row.turn, -1), place.get(field.provenance.turn, -1)
    return after > before or (follows and field.provenance.confidence > row.confidence)


def _new(order_id: str, field: OrderField) -> WorkOrderField:
    return WorkOrderField(
        order_id=order_id, name=field.name, value=field.value, former=former_of(field),
        **asdict(field.provenance),
    )  # fmt: skip


def _replace(row: WorkOrderField, field: OrderField, now: datetime) -> None:
    """The former value keeps where it came from; a new list, so that the change is seen."""
    row.former = [
        *row.former,
        {"value": row.value, "turn": row.turn, "quote": row.quote, "at": row.at.isoformat(),
         "confidence": row.confidence, "rule": row.rule, "confirmed_by": row.confirmed_by,
         "by": BY, "until": now.isoformat()},
    ]  # fmt: skip
    row.value = field.value
    for name, value in asdict(field.provenance).items():
        setattr(row, name, value)


def _fill_columns(
    session: Session,
    order: WorkOrder,
    rows: dict[str, WorkOrderField],
    now: datetime,
    rules: Rules,
) -> list[str]:
    """The order's own columns by its fields, where nobody wrote them."""
    changed = _retitle(session, order, rows, now)
    for name in _COLUMNS:
        if order.state != "受理" and name in _ROUTED:
            continue
        row = rows.get(name)
        if row is not None and is_open(row) and _column(order, name) != row.value:
            setattr(order, name, _as_column(name, row.value))
            changed.append(name)
    changed += _wishes(order, rows)
    changed += _urgency(order, rows, rules)
    return changed


def _retitle(
    session: Session, order: WorkOrder, rows: dict[str, WorkOrderField], now: datetime
) -> list[str]:
    """Title and summary from the fields as they stand now."""
    fields = {name: _as_field(row) for name, row in rows.items()}
    changed = []
    for made in assembled(fields):
        row = rows.get(made.name)
        if row is None:
            rows[made.name] = row = _new(order.id, made)
            session.add(row)
            changed.append(made.name)
        elif is_open(row) and row.value != made.value:
            _replace(row, made, now)
            changed.append(made.name)
    return changed


def _as_field(row: WorkOrderField) -> OrderField:
    source = Provenance(row.turn, row.quote, row.at, row.confidence, row.rule, row.confirmed_by)
    return OrderField(row.name, row.value, source)


def _column(order: WorkOrder, name: str) -> str:
    value = getattr(order, name)
    return BETWEEN.join(map(str, value)) if isinstance(value, list) else str(value)


def _as_column(name: str, value: str) -> Any:
    if name == "departments":
        return [part for part in value.split(BETWEEN) if part]
    return value[:_TITLE] if name == "title" else value


def _wishes(order: WorkOrder, rows: Mapping[str, WorkOrderField]) -> list[str]:
    """A wish for secrecy is never taken back by what was heard."""
    changed = []
    secret, visit = rows.get("secret"), rows.get("visit")
    if secret is not None and secret.value == YES and not order.secret and is_open(secret):
        order.secret = True
        changed.append("secret")
    if visit is not None and is_open(visit) and order.visit != (visit.value != NO):
        order.visit = visit.value != NO
        changed.append("visit")
    return changed


def _urgency(order: WorkOrder, rows: Mapping[str, WorkOrderField], rules: Rules) -> list[str]:
    """Only upwards; its deadline follows."""
    row = rows.get("urgency")
    if row is None or not is_open(row) or row.value not in _URGENCY:
        return []
    if _URGENCY.index(row.value) <= _URGENCY.index(order.urgency):
        return []
    order.urgency = row.value
    order.due_at = deadlines.due_by(
        "answer", order.urgency, order.kind, order.department, order.created_at, rules.city.orders
    )
    return ["urgency"]
