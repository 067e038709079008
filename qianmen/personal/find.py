"""Find everything of one citizen: by the number they called from or told, or by their account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.engine import reading, writing
from store.marks import Marker, marks_of, normalised
from store.tables import Callback, Conversation, WorkOrder, WorkOrderField
from store.tables.orders import MARKED, identity

Relation = Literal["own", "told"]
_PORTION = 200


class PersonalError(Exception):
    """A citizen's data cannot be given out or erased; ``code`` is stable.

    ``identity_invalid``: no telephone number and no account. ``export_exists``: the file is there.
    ``export_failed``, ``data_key_missing``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Concerned:
    """A conversation that concerns the citizen.

    ``own``: held from their number or account. ``told``: somebody else's, in which an order was
    taken with their number (a daughter calls for her mother), or from which they were to be called
    back; ``orders`` are that orders' ids.
    """

    conversation: str
    relation: Relation
    orders: tuple[str, ...]


def find(engine: Engine, who: str) -> tuple[Concerned, ...]:
    """All conversations that concern ``who``, oldest first. Raises :class:`PersonalError`."""
    if not normalised(who):
        raise PersonalError("identity_invalid", "请给出电话号码，或者网页、微信的身份标识")
    add_marks(engine)
    marks = marks_of(engine, who)
    with reading(engine) as session:
        own = session.scalars(
            select(Conversation.id)
            .where(Conversation.citizen_mark.in_(marks))
            .order_by(Conversation.started_at)
        ).all()
        mine = [Concerned(name, "own", _orders_of(session, name)) for name in own]
        return (*mine, *_told(session, marks, frozenset(own)))


def _orders_of(session: Session, conversation: str) -> tuple[str, ...]:
    wanted = select(WorkOrder.id).where(WorkOrder.conversation_id == conversation)
    return tuple(session.scalars(wanted.order_by(WorkOrder.created_at)))


def _told(session: Session, marks: tuple[str, ...], own: frozenset[str]) -> list[Concerned]:
    rows = session.execute(
        select(WorkOrder.conversation_id, WorkOrder.id)
        .join(WorkOrderField, WorkOrderField.order_id == WorkOrder.id)
        .where(WorkOrderField.mark.in_(marks))
        .order_by(WorkOrder.created_at)
    ).all()
    called = session.execute(
        select(Callback.conversation_id, Callback.order_id)
        .where(Callback.mark.in_(marks))
        .order_by(Callback.created_at)
    ).all()
    by_talk: dict[str, list[str]] = {}
    for conversation, order in dict.fromkeys(map(tuple, (*rows, *called))):
        if conversation not in own:
            by_talk.setdefault(conversation, []).append(order)
    return [Concerned(name, "told", tuple(orders)) for name, orders in by_talk.items()]


def add_marks(engine: Engine) -> int:
    """Mark the rows that were written before there were marks; how many."""
    marker: Marker | None = getattr(engine.dialect, "marker", None)
    if marker is None:
        return 0
    return sum(_mark_talks(engine, marker)) + sum(_mark_fields(engine, marker))


def _mark_talks(engine: Engine, marker: Marker) -> Iterator[int]:
    last = ""
    while True:
        with writing(engine) as session:
            rows = session.scalars(
                select(Conversation)
                .where(Conversation.citizen_mark == "", Conversation.citizen != "")
                .where(Conversation.id > last)
                .order_by(Conversation.id)
                .limit(_PORTION)
            ).all()
            for row in rows:
                row.citizen_mark = marker.mark(row.citizen)
        if not rows:
            return
        last = rows[-1].id
        yield len(rows)


def _mark_fields(engine: Engine, marker: Marker) -> Iterator[int]:
    last = 0
    while True:
        with writing(engine) as session:
            rows = session.scalars(
                select(WorkOrderField)
                .where(WorkOrderField.mark == "", WorkOrderField.value != "")
                .where(WorkOrderField.name.in_(MARKED), WorkOrderField.id > last)
                .order_by(WorkOrderField.id)
                .limit(_PORTION)
            ).all()
            for row in rows:
                row.mark = marker.mark(identity(row))
        if not rows:
            return
        last = rows[-1].id
        yield sum(1 for row in rows if row.mark)  # 楼下 alone is no place to be found by
