"""Read one work order, or one conversation, with all that belongs to it. Synchronous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from config.orders import OrderRules
from handoff.order.model import OrderState
from handoff.order.rows import as_state
from handoff.order.veiled import veils
from handoff.veil import Veil
from store.engine import reading
from store.tables import (
    Conversation,
    Delivery,
    Feedback,
    Linkage,
    OrderEvent,
    Outbox,
    Recording,
    Staff,
    Survey,
    Turn,
    WorkOrder,
    WorkOrderField,
)
from web.accounts import Member
from web.orderlist import OrderRow, row_of, with_conversation
from web.secrecy import CALLER_FIELDS, knows, knows_conversation
from web.sent import beside
from web.transcript import TurnView, views

_EDITIONS = 500
"""The deliveries of so many changes are looked up, the newest."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field with where it comes from; ``turn`` is a ``Heard.id`` or ''.

    ``former`` are the values it had, oldest first, as ``handoff.order.edits`` keeps them.
    """

    name: str
    value: str
    turn: str
    quote: str
    at: datetime
    confidence: float
    rule: str
    confirmed_by: str
    former: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """One step in the order's life."""

    at: datetime
    actor: str
    event: str
    from_state: str
    to_state: str
    data: dict[str, Any]
    text: str = ""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What was told to 110 or a department at once, or came from there; see ``Linkage``."""

    party: str
    direction: str
    state: str
    tries: int
    reference: str
    fault: str
    created_at: datetime
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What was told to another system about the order; see ``Delivery``."""

    topic: str
    target: str
    state: str
    tries: int
    status: int
    fault: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """What the citizen thought of it; ``score`` '' where they did not say."""

    about: str
    agent: str
    how: str
    score: str
    solved: bool | None
    why: str
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class More:
    """What an order says of itself beside what the list shows. Numbers name other orders."""

    summary: str
    visit: bool
    signed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    redone: int
    reference: str
    merged_into: str
    merged: tuple[str, ...]
    repeats: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with everything that belongs to it; ``recordings`` are ids.

    ``hidden``: who reported is not for whoever asked. ``talk_hidden``: that is so of any order of
    its talk; there are no turns and recordings then.
    ``thumbs`` counts the citizen's thumbs on the bot's answers, up and down; ``names`` has the
    staff's by login.
    """

    id: str
    row: OrderRow
    life: OrderState
    more: More
    fields: tuple[FieldRow, ...]
    events: tuple[EventRow, ...]
    turns: tuple[TurnView, ...]
    recordings: tuple[str, ...]
    links: tuple[LinkRow, ...]
    deliveries: tuple[DeliveryRow, ...]
    surveys: tuple[SurveyRow, ...]
    thumbs: tuple[int, int]
    names: dict[str, str]
    hidden: bool = False
    talk_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with its turns."""

    id: str
    channel: str
    line: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    turns: tuple[TurnView, ...]


def order_detail(
    engine: Engine, number: str, member: Member, rules: OrderRules
) -> OrderDetail | None:
    """The order of that number as ``member`` may see it, or None."""
    with reading(engine) as session:
        found = session.execute(with_conversation().where(WorkOrder.number == number)).first()
        if found is None:
            return None
        order, state = found
        open_ = knows(session, order.id, member, rules)
        heard = knows_conversation(session, order.conversation_id, member, rules)
        history = _history(session, order.id)
        detail = OrderDetail(
            id=order.id,
            row=row_of(order, state),
            life=as_state(order, history),
            more=_more(session, order),
            fields=_fields(session, order.id),
            events=_events(history),
            turns=_turns(session, order.conversation_id) if heard else (),
            recordings=_recordings(session, order.conversation_id) if heard else (),
            links=_links(session, order.id),
            deliveries=_deliveries(session, order),
            surveys=_surveys(session, order.id),
            thumbs=_thumbs(session, order.conversation_id),
            names=staff_names(session),
            hidden=not open_,
            talk_hidden=not heard,
        )
        return detail if open_ else veiled(detail, veils(session, [order.id])[order.id])


def veiled(detail: OrderDetail, veil: Veil) -> OrderDetail:
    """``detail`` without what its free text tells of who reported."""
    return replace(
        detail,
        row=replace(detail.row, title=veil.over(detail.row.title)),
        more=replace(detail.more, summary=veil.over(detail.more.summary)),
        fields=tuple(
            one if one.name in CALLER_FIELDS else replace(
                one, value=veil.over(one.value),
                former=tuple(old | {"value": veil.over(str(old.get("value", "")))}
                             for old in one.former))
            for one in detail.fields
        ),
        events=tuple(replace(one, text=veil.over(one.text)) for one in detail.events),
        surveys=tuple(replace(one, why=veil.over(one.why)) for one in detail.surveys),
    )  # fmt: skip


def place_of(engine: Engine, order: str) -> str:
    """Where the order's matter is, as it was told: to look for others there, not to be shown."""
    with reading(engine) as session:
        found = session.scalar(
            select(WorkOrderField.value).where(
                WorkOrderField.order_id == order, WorkOrderField.name == "where"
            )
        )
        return found or ""


def talk(engine: Engine, conversation: str, member: Member, rules: OrderRules) -> Talk | None:
    """The conversation of that id, or None; raises :class:`PermissionError` where it is secret."""
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        if row is None:
            return None
        if not knows_conversation(session, conversation, member, rules):
            raise PermissionError(conversation)
        return Talk(row.id, row.channel, row.line, row.state, row.started_at, row.ended_at,
                    _turns(session, row.id))  # fmt: skip


def staff_names(session: Session) -> dict[str, str]:
    """Everybody's name by login."""
    named = session.execute(select(Staff.login, Staff.name))
    return {row.login: row.name for row in named}


def _more(session: Session, order: WorkOrder) -> More:
    others = [other for other in (order.merged_into, order.repeats) if other]
    named = select(WorkOrder.id, WorkOrder.number).where(WorkOrder.id.in_(others))
    numbers = {row.id: row.number for row in session.execute(named)}
    merged = session.scalars(
        select(WorkOrder.number).where(WorkOrder.merged_into == order.id).order_by(WorkOrder.number)
    )
    return More(
        summary=order.summary, visit=order.visit, signed_at=order.signed_at,
        answered_at=order.answered_at, closed_at=order.closed_at, redone=order.redone,
        reference=order.reference, merged_into=numbers.get(order.merged_into or "", ""),
        merged=tuple(merged), repeats=numbers.get(order.repeats or "", ""),
    )  # fmt: skip


def _fields(session: Session, order: str) -> tuple[FieldRow, ...]:
    rows = session.scalars(
        select(WorkOrderField).where(WorkOrderField.order_id == order).order_by(WorkOrderField.id)
    )
    return tuple(
        FieldRow(f.name, f.value, f.turn, f.quote, f.at, f.confidence, f.rule, f.confirmed_by,
                 tuple(old for old in f.former or () if isinstance(old, dict)))
        for f in rows
    )  # fmt: skip


def _history(session: Session, order: str) -> Sequence[OrderEvent]:
    return session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order).order_by(OrderEvent.id)
    ).all()


def _events(rows: Sequence[OrderEvent]) -> tuple[EventRow, ...]:
    return tuple(
        EventRow(e.at, e.actor, e.event, e.from_state, e.to_state, e.data, e.text) for e in rows
    )


def _turns(session: Session, conversation: str) -> tuple[TurnView, ...]:
    rows = session.scalars(
        select(Turn).where(Turn.conversation_id == conversation).order_by(Turn.seq)
    )
    return views(rows, beside(session, conversation))


def _recordings(session: Session, conversation: str) -> tuple[str, ...]:
    return tuple(
        session.scalars(
            select(Recording.id)
            .where(Recording.conversation_id == conversation)
            .where(Recording.deleted_at.is_(None))
            .order_by(Recording.started_at)
        )
    )


def _links(session: Session, order: str) -> tuple[LinkRow, ...]:
    rows = session.scalars(
        select(Linkage).where(Linkage.order_id == order).order_by(Linkage.created_at, Linkage.id)
    )
    return tuple(
        LinkRow(r.party, r.direction, r.state, r.tries, r.reference, r.fault, r.created_at,
                r.acknowledged_at)
        for r in rows
    )  # fmt: skip


def _deliveries(session: Session, order: WorkOrder) -> tuple[DeliveryRow, ...]:
    """Found by the outbox's keys, which are indexed: one for its birth, one for each edition."""
    first = f"order:{order.id}"
    keys = [first, f"danger:{order.id}"]
    keys += [f"{first}:{edition}" for edition in range(1, order.edition + 1)]
    rows = session.execute(
        select(Outbox.topic, Delivery)
        .join(Delivery, Delivery.outbox_id == Outbox.id)
        .where(Outbox.key.in_(keys[-_EDITIONS:] if len(keys) > _EDITIONS else keys))
        .order_by(Delivery.created_at, Delivery.id)
    )
    return tuple(
        DeliveryRow(topic, r.target, r.state, r.tries, r.status, r.fault, r.created_at, r.sent_at)
        for topic, r in rows
    )


def _surveys(session: Session, order: str) -> tuple[SurveyRow, ...]:
    rows = session.scalars(
        select(Survey).where(Survey.order_id == order).order_by(Survey.asked_at, Survey.id)
    )
    return tuple(
        SurveyRow(r.about, r.agent, r.how, r.score, r.solved, r.why, r.asked_at, r.answered_at)
        for r in rows
    )


def _thumbs(session: Session, conversation: str) -> tuple[int, int]:
    told: Sequence[Any] = session.execute(
        select(Feedback.value, func.count())
        .where(Feedback.conversation_id == conversation)
        .group_by(Feedback.value)
    ).all()
    counted = {value: int(count) for value, count in told}
    return counted.get("up", 0), counted.get("down", 0)
