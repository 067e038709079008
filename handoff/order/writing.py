"""What writing an order consists of, inside the transaction that ``handoff.orders`` opens."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.city import City
from config.links import Links
from config.orders import OrderRules
from config.queue import QueueRules
from handoff.links import linkage, updates
from handoff.order import deadlines
from handoff.order.departments import apart
from handoff.order.repeated import count_repeats
from handoff.order.retold import tell_danger
from handoff.order.rows import tell
from handoff.queue import entering
from handoff.queue.model import ACTIVE
from handoff.queue.rows import LOCK, newest
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import (
    Conversation,
    OrderEvent,
    OrderNumber,
    Outbox,
    WorkOrder,
    WorkOrderField,
)
from turns.orders import OrderDraft, OrderField, WrittenOrder

TITLE_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """On what an order is written: the city's rules, the moment, and what is in danger.

    ``now`` gives the number its day; ``accepted`` is when the citizen told it.
    """

    orders: OrderRules
    queue: QueueRules
    links: Links
    now: datetime
    accepted: datetime
    danger: str

    @classmethod
    def of(
        cls, city: City | None, now: datetime, danger: str, accepted: datetime | None = None
    ) -> Terms:
        """The city's, or the defaults."""
        return cls(
            orders=city.orders if city else OrderRules(),
            queue=city.queue if city else QueueRules(),
            links=city.links if city else Links(),
            now=now,
            accepted=accepted or now,
            danger=danger,
        )


def talk_locked(session: Session, conversation: str) -> Conversation | None:
    """The conversation, locked: orders of one citizen are written one after the other.

    Always locked before the day's number, so that two writers never wait for each other.
    """
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)


def queue_locked(session: Session, draft: OrderDraft) -> None:
    """The queue, for this transaction alone, where danger is to be told of somebody who is in it.

    Always locked before alarms, as whoever serves the queue does.
    """
    if draft.urgency == "danger" and newest(session, draft.conversation, ACTIVE) is not None:
        one_at_a_time(session, LOCK)


def latest(session: Session, conversation: str) -> WorkOrder | None:
    """The order that a person has, or is to have, of the conversation; else its newest."""
    entry = newest(session, conversation, ACTIVE)
    if entry is not None:
        return session.get(WorkOrder, entry.order_id)
    return session.scalar(
        select(WorkOrder)
        .where(WorkOrder.conversation_id == conversation)
        .order_by(WorkOrder.created_at.desc(), WorkOrder.number.desc())
        .limit(1)
    )


def write_new(session: Session, draft: OrderDraft, terms: Terms) -> WrittenOrder:
    """The order of ``draft``, or what its key wrote before."""
    found = session.scalar(select(WorkOrder).where(WorkOrder.key == draft.key))
    if found:
        return told(found, repeated=True)
    draft = apart(draft)
    order = _row(draft, _next_number(session, terms.now.date()), terms)
    session.add(order)
    session.flush()
    session.add_all(_field(order.id, field) for field in draft.fields)
    note(session, order, "accepted", terms, {"key": draft.key}, to_state="受理")
    session.add(
        Outbox(key=f"order:{order.id}", topic="order.created", created_at=terms.now, sent_at=None,
               payload={"order": order.id, "number": order.number}),
    )  # fmt: skip
    session.flush()
    count_repeats(session, order, terms.orders, terms.now)
    if order.urgency == "danger":
        linkage.write(session, order, danger=terms.danger, now=terms.now, rules=terms.links)
    return told(order, repeated=False)


def _row(draft: OrderDraft, number: str, terms: Terms) -> WorkOrder:
    return WorkOrder(
        id=hashlib.sha256(draft.key.encode()).hexdigest()[:32],
        key=draft.key,
        number=number,
        conversation_id=draft.conversation,
        channel=draft.channel,
        line=draft.line,
        kind=draft.kind,
        urgency=draft.urgency,
        state="受理",
        title=draft.title[:TITLE_LIMIT],
        matter=draft.matter,
        department=draft.department,
        departments=list(draft.departments),
        code=draft.code,
        summary=draft.summary,
        secret=draft.secret,
        visit=draft.visit,
        agent="",
        due_at=deadlines.due_by(
            "answer", draft.urgency, draft.kind, draft.department, terms.accepted, terms.orders
        ),
        repeat_count=1,
        edition=1,
        created_at=terms.accepted,
    )


def add_missing(session: Session, order: WorkOrder, draft: OrderDraft, terms: Terms) -> None:
    """Add to ``order`` what ``draft`` knows and it lacks; danger makes it urgent."""
    draft = beside(draft, order)
    names = set(
        session.scalars(select(WorkOrderField.name).where(WorkOrderField.order_id == order.id))
    )
    added = [field for field in draft.fields if field.name not in names]
    session.add_all(_field(order.id, field) for field in added)
    worse = tell_danger(session, order, draft)
    columns = _fill_columns(order, draft)
    endangered = draft.urgency == "danger" and order.urgency != "danger"
    if endangered:
        order.urgency = "danger"
        order.due_at = deadlines.due_by(
            "answer", order.urgency, order.kind, order.department, order.created_at, terms.orders
        )
    anew = [*(field.name for field in added), *worse]
    if draft.urgency == "danger":
        session.flush()
        if updates.is_another(session, order, terms.danger):
            anew = [name for name in anew if name != "what"]  # told with the danger itself
        linkage.write(session, order, danger=terms.danger, now=terms.now, rules=terms.links)
    if not (added or columns or endangered or worse):
        return
    order.edition += 1
    order.changed_at = terms.now
    note(session, order, "completed", terms,
         {"fields": [*(field.name for field in added), *columns, *worse]})  # fmt: skip
    tell(session, order, "completed", terms.now)
    session.flush()
    updates.fields_told(session, order, anew, terms.now)
    count_repeats(session, order, terms.orders, terms.now)


def beside(draft: OrderDraft, order: WorkOrder) -> OrderDraft:
    """What ``draft`` may add to ``order``: nobody as 主办 who helps there, nor the other way."""
    if not order.department and draft.department in (order.departments or ()):
        fields = tuple(field for field in draft.fields if field.name != "department")
        draft = replace(draft, department="", fields=fields)
    return apart(draft, order.department)


def _fill_columns(order: WorkOrder, draft: OrderDraft) -> list[str]:
    """Columns that were empty; a wish for secrecy is never taken back by a later draft."""
    filled = []
    for name in ("matter", "department", "code", "summary"):
        if not getattr(order, name) and getattr(draft, name):
            setattr(order, name, getattr(draft, name))
            filled.append(name)
    if draft.departments and not order.departments:
        order.departments = list(draft.departments)
        filled.append("departments")
    if draft.secret and not order.secret:
        order.secret = True
        filled.append("secret")
    return filled


def raise_in_queue(
    session: Session, draft: OrderDraft, reason: str, urgency: str, terms: Terms
) -> None:
    """Whoever has the citizen, or is to have them, sees that they are in danger."""
    entry = newest(session, draft.conversation, ACTIVE)
    if entry is not None:
        entering.raise_to_danger(session, entry, reason, urgency, terms.now, terms.queue)


def enter_queue(
    session: Session,
    draft: OrderDraft,
    written: WrittenOrder,
    handoff: str,
    reason: str,
    terms: Terms,
) -> None:
    """The citizen's entry in the queue."""
    entering.enter(
        session, handoff=handoff, conversation=draft.conversation, order=written.id,
        channel=draft.channel, reason=reason, urgency=draft.urgency, now=terms.now,
        rules=terms.queue,
    )  # fmt: skip


def note(
    session: Session,
    order: WorkOrder,
    event: str,
    terms: Terms,
    data: dict[str, Any],
    to_state: str = "",
) -> None:
    """One line of the order's history, by the bot; ``late``: the order waited in the journal."""
    late = {"late": True} if terms.accepted != terms.now else {}
    session.add(
        OrderEvent(order_id=order.id, at=terms.now, actor="bot", event=event, data=data | late,
                   to_state=to_state),
    )  # fmt: skip


def told(order: WorkOrder, *, repeated: bool) -> WrittenOrder:
    """What the writer hears of it."""
    return WrittenOrder(order.id, order.number, order.created_at, repeated)


def _field(order_id: str, field: OrderField) -> WorkOrderField:
    return WorkOrderField(
        order_id=order_id, name=field.name, value=field.value, former=former_of(field),
        **asdict(field.provenance),
    )  # fmt: skip


def former_of(field: OrderField) -> list[dict[str, Any]]:
    """Values that were told before ``field``'s own, as ``WorkOrderField.former`` keeps them."""
    until = field.provenance.at.isoformat()
    return [{"value": value, "rule": "told_before", "by": "bot", "until": until}
            for value in field.former]  # fmt: skip


def _next_number(session: Session, day: date) -> str:
    one_at_a_time(session, "order_number")  # the day's row may not be there to be locked
    row = session.get(OrderNumber, day)
    if row is None:
        row = OrderNumber(day=day, last=0)
        session.add(row)
    row.last += 1
    session.flush()
    return f"{day:%Y%m%d}{row.last:05d}"
