"""How an order stands, in plain words, for who knows its number and the phone it was told with.

A wrong number, a wrong telephone number and an order that was erased are answered alike: nobody
learns from it which orders there are. Reading is synchronous.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.prompts import Prompts
from store.engine import reading
from store.marks import normalised
from store.tables import Conversation, OrderEvent, WorkOrder, WorkOrderField
from store.tables.orders import CONTACT, PHONE

_STEPS = ("受理", "派单", "签收", "办理", "答复", "办结")
_SHOWN = {
    "受理": "已受理", "派单": "已派给办理部门", "签收": "办理部门已签收", "办理": "正在办理",
    "答复": "已经答复", "回访": "已经答复，正在回访", "办结": "已经办结", "归档": "已经办结",
    "退单": "正在重新确定办理部门", "争议审核": "正在重新确定办理部门",
}  # fmt: skip
_REACHED = {"回访": "答复", "归档": "办结", "退单": "受理", "争议审核": "受理"}
_TOLD_ANSWER = frozenset({"答复", "回访", "办结", "归档"})
_OVER = _TOLD_ANSWER
_TITLE = 20
_NUMBER = re.compile(r"\d{8,20}")
_MOST_MERGED = 5


class AskedWrongError(ValueError):
    """Not a question about an order; ``code`` is ``frame_malformed``."""

    code = "frame_malformed"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, str_strip_whitespace=True)

    number: str = Field(max_length=40)
    phone: str = Field(max_length=40)


@dataclass(frozen=True, slots=True)
class Reached:
    """A step of the order's life, ``done`` or still to come; ``at`` None where nobody noted it."""

    name: str
    done: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """An order as its citizen may know it."""

    number: str
    title: str
    state: str
    department: str
    due: datetime | None
    steps: tuple[Reached, ...]
    answer: str


def asked_of(body: bytes) -> tuple[str, str]:
    """Number and telephone number from what a page sent; raises :class:`AskedWrongError`."""
    try:
        asked = _Asked.model_validate(json.loads(body))
    except (ValueError, RecursionError, ValidationError):
        raise AskedWrongError("not a question about an order") from None
    return re.sub(r"\D", "", asked.number), asked.phone


def progress_of(engine: Engine, number: str, phone: str) -> Progress | None:
    """The order ``number``, if it was told with ``phone``."""
    known = normalised(phone)
    if not _NUMBER.fullmatch(number) or not known:
        return None
    with reading(engine) as session:
        order = session.scalar(select(WorkOrder).where(WorkOrder.number == number))
        if order is None or order.erased_at is not None:
            return None
        told = [normalised(value) for value in _numbers(session, order)]
        # Each is compared, so that the time taken tells nothing either.
        fits = [hmac.compare_digest(one.encode(), known.encode()) for one in told]
        return _progress(session, order) if any(fits) else None


def orders_of(session: Session, conversations: Iterable[str]) -> tuple[str, ...]:
    """Numbers of the orders that these conversations led to, the latest first."""
    return tuple(
        session.scalars(
            select(WorkOrder.number)
            .where(WorkOrder.conversation_id.in_(tuple(conversations)))
            .where(WorkOrder.erased_at.is_(None))
            .order_by(WorkOrder.created_at.desc())
            .limit(5)
        )
    )


def own_progress(session: Session, number: str) -> Progress | None:
    """The order ``number``, for a chat that is known to be its citizen's."""
    order = session.scalar(select(WorkOrder).where(WorkOrder.number == number))
    return _progress(session, order) if order is not None and order.erased_at is None else None


def _numbers(session: Session, order: WorkOrder) -> list[str]:
    fields = session.scalars(
        select(WorkOrderField.value)
        .where(WorkOrderField.order_id == order.id, WorkOrderField.name.in_((PHONE, CONTACT)))
    )  # fmt: skip
    talk = session.get(Conversation, order.conversation_id)
    caller = [talk.citizen] if talk is not None and talk.channel == "phone" else []
    return [value for value in (*fields, *caller) if value]


def _progress(session: Session, order: WorkOrder) -> Progress:
    """As the order stands that it was joined with, where it was joined with one."""
    main = order
    for _ in range(_MOST_MERGED):
        above = session.get(WorkOrder, main.merged_into) if main.merged_into else None
        if above is None:
            break
        main = above
    events = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == main.id).order_by(OrderEvent.id)
    ).all()
    answers = [event.text for event in events if event.event == "answer" and event.text]
    return Progress(
        number=order.number, title=order.title, state=main.state, department=main.department,
        due=main.extended_to or main.due_at, steps=_steps(main.state, events),
        answer=answers[-1] if answers and main.state in _TOLD_ANSWER else "",
    )  # fmt: skip


def _steps(state: str, events: Iterable[OrderEvent]) -> tuple[Reached, ...]:
    at: dict[str, datetime] = {}
    for event in events:
        at[event.to_state] = event.at
    reached = _STEPS.index(_REACHED.get(state, state)) if state else 0
    return tuple(
        Reached(name, place <= reached, at.get(name) if place <= reached else None)
        for place, name in enumerate(_STEPS)
    )


def words(prompts: Prompts, found: Progress, zone: ZoneInfo) -> str:
    """How the order stands, in one or two sentences."""
    title = found.title if len(found.title) <= _TITLE else f"{found.title[:_TITLE]}……"
    state = _SHOWN.get(found.state, found.state)
    parts = [prompts.fill("progress_one", number=found.number, what=title, state=state)]
    if found.department:
        parts.append(prompts.fill("progress_department", department=found.department))
    if found.due is not None and found.state not in _OVER:
        day = found.due.astimezone(zone)
        parts.append(prompts.fill("progress_due", day=f"{day.month}月{day.day}日"))
    if found.answer:
        parts.append(found.answer)
    return "".join(parts)


def told(prompts: Prompts, found: Progress | None, zone: ZoneInfo) -> dict[str, Any]:
    """What a page is told."""
    if found is None:
        return {"found": False, "text": prompts.progress_unknown}
    return {
        "found": True, "number": found.number, "state": _SHOWN.get(found.state, found.state),
        "department": found.department,
        "due": found.due.astimezone(zone).date().isoformat() if found.due else "",
        "steps": [
            {"name": step.name, "done": step.done,
             "at": step.at.astimezone(zone).isoformat() if step.at else ""}
            for step in found.steps
        ],
        "answer": found.answer, "text": words(prompts, found, zone),
    }  # fmt: skip
