"""Changes of an order's fields by people: the former value is kept, with who and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.links import Links
from config.orders import OrderKind, OrderRules, Urgency
from handoff.links import linkage, updates
from handoff.order import deadlines
from handoff.order.departments import helping_text
from handoff.order.model import Event, OrderError
from handoff.order.retold import BY_HAND as RULE
from handoff.order.rows import add_event, check_edition, locked, state_of, tell
from handoff.veil import MARK
from store.engine import writing
from store.tables import WorkOrder, WorkOrderField

MAX_VALUE = 4000
FIELDS = (
    "what", "where", "district", "street", "community", "detail", "when", "name", "phone",
    "contact", "language", "outcome", "against", "amount", "people", "employer", "period",
)  # fmt: skip
"""The fields that can be written beside the order's own columns."""
_YES = {"是": True, "true": True, "1": True, "yes": True,
        "否": False, "false": False, "0": False, "no": False}  # fmt: skip
_NUMBER = re.compile(r"\+?[0-9]{5,20}")
_SEPARATED = re.compile(r"[、,，;；\n]+")
_TITLE = 60
_NAME = 60


def edit(
    engine: Engine,
    number: str,
    changes: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    edition: int | None = None,
    rules: OrderRules | None = None,
    links: Links | None = None,
) -> int:
    """Change fields or columns (title, kind, urgency, …); the order's edition afterwards.

    With ``rules`` the deadlines follow a new urgency or kind; with ``links`` an order that is said
    to be danger goes to 110 and the departments at once. What is the same already is no change.
    Raises :class:`OrderError` ``field_unknown``, ``value_invalid``, ``order_changed``, …;
    then nothing has changed.
    """
    with writing(engine) as session:
        return edit_in(
            session, number, changes, by=by, now=now, edition=edition, rules=rules, links=links
        )  # fmt: skip


def edit_in(
    session: Session,
    number: str,
    changes: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    edition: int | None = None,
    rules: OrderRules | None = None,
    links: Links | None = None,
) -> int:
    """As :func:`edit`, in the caller's transaction."""
    wanted = {name: clean(name, value) for name, value in changes.items()}
    row = locked(session, number)
    check_edition(row, edition)
    wanted |= _helpers_apart(row, wanted)
    changed = [
        name for name, value in wanted.items() if _change(session, row, name, value, by, now)
    ]
    if not changed:
        return row.edition
    row.edition += 1
    row.changed_at = now
    if rules is not None and {"urgency", "kind"} & set(changed):
        _set_deadlines(session, row, rules)
    event = Event("edited", now, by, row.state, row.state, "", {"fields": changed})
    add_event(session, row, event)
    tell(session, row, "edited", now)
    session.flush()
    if links is not None and "urgency" in changed and row.urgency == "danger":
        linkage.write(session, row, danger="", now=now, rules=links)
    updates.fields_told(session, row, changed, now, by)
    return row.edition


def confirm(engine: Engine, number: str, field: str, by: str, now: datetime) -> int:
    """Somebody says that a field is right as it stands; the order's edition afterwards.

    Raises :class:`OrderError` ``field_unknown`` for a field that the order has not.
    """
    with writing(engine) as session:
        row = locked(session, number)
        check_edition(row, None)
        found = _field(session, row.id, field)
        if found is None:
            raise OrderError("field_unknown", "这件工单没有这一项")
        if found.confirmed_by == by:
            return row.edition
        found.confirmed_by = by
        row.edition += 1
        row.changed_at = now
        data = {"fields": [field]}
        add_event(session, row, Event("confirmed", now, by, row.state, row.state, "", data))
        tell(session, row, "confirmed", now)
        session.flush()
        return row.edition


def clean(name: str, value: str) -> str:
    """``value`` as it is kept; raises :class:`OrderError` for a field or value that cannot be."""
    if name not in FIELDS and name not in _COLUMNS:
        raise OrderError("field_unknown", f"没有“{name[:20]}”这一项")
    value = "".join(c for c in str(value) if c.isprintable() or c == "\n").strip()
    if len(value) > MAX_VALUE:
        raise OrderError("value_invalid", f"太长，最多 {MAX_VALUE} 个字")
    if MARK in value:
        raise OrderError("value_invalid", f"“{MARK}”里的内容您看不到，不能在它上面改")
    check = _CLEANERS.get(name)
    return check(value) if check else value


def _kind(value: str) -> str:
    return _one_of(value, get_args(OrderKind), "诉求类型")


def _urgency(value: str) -> str:
    return _one_of(value, get_args(Urgency), "紧急程度")


def _one_of(value: str, known: tuple[str, ...], label: str) -> str:
    if value not in known:
        raise OrderError("value_invalid", f"{label}没有“{value[:20]}”")
    return value


def _phone(value: str) -> str:
    number = re.sub(r"[\s()（）-]", "", value)
    if number and not _NUMBER.fullmatch(number):
        raise OrderError("value_invalid", "电话号码只能有 5 到 20 位数字")
    return number


def _title(value: str) -> str:
    return _short("标题", value, _TITLE)


def _department(value: str) -> str:
    return _short("单位名称", value, _NAME)


def _short(label: str, value: str, most: int) -> str:
    if not value or len(value) > most or "\n" in value:
        raise OrderError("value_invalid", f"{label}要写，最多 {most} 个字")
    return value


def _departments(value: str) -> str:
    names = [name.strip() for name in _SEPARATED.split(value) if name.strip()]
    return "、".join(dict.fromkeys(_department(name) for name in names))


def _yes(value: str) -> str:
    known = _YES.get(value.lower())
    if known is None:
        raise OrderError("value_invalid", "请写 是 或 否")
    return "是" if known else "否"


_CLEANERS: dict[str, Callable[[str], str]] = {
    "kind": _kind, "urgency": _urgency, "phone": _phone, "contact": _phone, "title": _title,
    "department": _department, "departments": _departments, "secret": _yes, "visit": _yes,
}  # fmt: skip


def _text_of(row: WorkOrder, name: str) -> str:
    value = getattr(row, name)
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _to_column(name: str, value: str) -> Any:
    if name in ("secret", "visit"):
        return value == "是"
    if name == "departments":
        return value.split("、") if value else []
    return value


_COLUMNS = (
    "title", "kind", "urgency", "department", "departments", "secret", "visit", "code", "summary",
    "reference", "matter",
)  # fmt: skip


def _change(
    session: Session, row: WorkOrder, name: str, value: str, by: str, now: datetime
) -> bool:
    found = _field(session, row.id, name)
    is_column = name in _COLUMNS
    before = _text_of(row, name) if is_column else found.value if found else ""
    if value == before:
        return False
    if is_column:
        setattr(row, name, _to_column(name, value))
    if found is None:
        session.add(_new(row, name, value, before, by, now))
    else:
        _replace(found, value, before, by, now)
    return True


def _helpers_apart(row: WorkOrder, wanted: Mapping[str, str]) -> dict[str, str]:
    """协办 without who is, or becomes, 主办; {} where nobody stands on both sides."""
    told = wanted.get("departments", _text_of(row, "departments"))
    kept = helping_text(wanted.get("department", row.department), told)
    return {} if kept == told else {"departments": kept}


def _new(
    row: WorkOrder, name: str, value: str, before: str, by: str, now: datetime
) -> WorkOrderField:
    former = [{"value": before, "at": row.created_at.isoformat(), "by": by,
               "until": now.isoformat()}] if before else []  # fmt: skip
    return WorkOrderField(order_id=row.id, name=name, value=value, turn="", quote="", at=now,
                          confidence=1.0, rule=RULE, confirmed_by=by, former=former)  # fmt: skip


def _replace(field: WorkOrderField, value: str, before: str, by: str, now: datetime) -> None:
    """The former value keeps where it came from; a new list, so that the change is seen."""
    field.former = [
        *field.former,
        {"value": before, "turn": field.turn, "quote": field.quote, "at": field.at.isoformat(),
         "confidence": field.confidence, "rule": field.rule, "confirmed_by": field.confirmed_by,
         "by": by, "until": now.isoformat()},
    ]  # fmt: skip
    field.value, field.turn, field.quote, field.at = value, "", "", now
    field.confidence, field.rule, field.confirmed_by = 1.0, RULE, by


def _field(session: Session, order: str, name: str) -> WorkOrderField | None:
    return session.scalar(
        select(WorkOrderField).where(WorkOrderField.order_id == order, WorkOrderField.name == name)
    )


def _set_deadlines(session: Session, row: WorkOrder, rules: OrderRules) -> None:
    state = state_of(session, row)
    row.due_at = deadlines.due_by(
        "answer", row.urgency, row.kind, row.department, state.facts.begun_at, rules
    )
    dispatched = state.facts.dispatched_at
    if dispatched is not None and row.state == "派单":
        row.sign_by = deadlines.due_by(
            "sign", row.urgency, row.kind, row.department, dispatched, rules
        )
