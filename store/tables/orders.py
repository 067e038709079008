"""Work orders (工单): fields with provenance, history, numbers."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from store.tables.base import Base
from store.types import SealedJson, SealedText


class WorkOrder(Base):
    """A work order (工单). ``key`` makes writing idempotent; ``number`` is gapless per day.

    ``erased_at``: its title and fields are gone, by rule or on a citizen's wish. ``code`` is the
    classification; ``departments`` those that help (协办) beside ``department`` (主办). ``secret``
    (是否保密): departments are not told who reported. ``sign_by`` and ``due_at`` are its deadlines,
    ``extended_to`` the one that was granted. ``agent`` is whose order it is; ``merged_into`` the
    order it was joined with (并单); ``repeats`` the earlier order it repeats, ``repeat_count`` the
    how manieth request it is; ``urged`` counts 催办, ``level`` 提级 (0 none), ``redone`` 重办.
    ``edition`` counts changes, so that nobody overwrites what they have not seen.
    """

    __tablename__ = "work_order"
    __table_args__ = (Index("ix_work_order_counts", "state", "urgency", "kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    channel: Mapped[str]
    line: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    urgency: Mapped[str]
    state: Mapped[str] = mapped_column(default="受理")
    title: Mapped[str] = mapped_column(SealedText)
    matter: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    departments: Mapped[list[Any]] = mapped_column(default=list)
    code: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(SealedText, default="")
    secret: Mapped[bool] = mapped_column(default=False)
    visit: Mapped[bool] = mapped_column(default=True)
    agent: Mapped[str] = mapped_column(default="", index=True)
    sign_by: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    extended_to: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("work_order.id"))
    repeats: Mapped[str | None] = mapped_column(ForeignKey("work_order.id"))
    repeat_count: Mapped[int] = mapped_column(default=1)
    urged: Mapped[int] = mapped_column(default=0)
    level: Mapped[int] = mapped_column(default=0)
    redone: Mapped[int] = mapped_column(default=0)
    reference: Mapped[str] = mapped_column(default="")
    edition: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class WorkOrderField(Base):
    """One field of an order with its provenance; ``former`` keeps values that were replaced.

    ``mark`` finds a phone number or a place where ``value`` is sealed (``store.marks``).
    """

    __tablename__ = "work_order_field"
    __table_args__ = (UniqueConstraint("order_id", "name", name="uq_work_order_field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"))
    name: Mapped[str]
    value: Mapped[str] = mapped_column(SealedText)
    mark: Mapped[str] = mapped_column(default="", index=True)
    turn: Mapped[str] = mapped_column(default="")
    quote: Mapped[str] = mapped_column(SealedText, default="")
    at: Mapped[datetime]
    confidence: Mapped[float] = mapped_column(default=1.0)
    rule: Mapped[str] = mapped_column(default="")
    confirmed_by: Mapped[str] = mapped_column(default="")
    former: Mapped[list[Any]] = mapped_column(SealedJson, default=list)


class OrderEvent(Base):
    """A step in an order's life: who, when, from which state to which.

    ``text`` is what somebody wrote (a note, a reason, the answer); ``data`` holds no personal data.
    """

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    from_state: Mapped[str] = mapped_column(default="")
    to_state: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(SealedText, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class OrderNumber(Base):
    """The last number given on a city day."""

    __tablename__ = "order_number"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


PHONE = "phone"
"""The field of an order whose value is a citizen's number, and is marked."""
CONTACT = "contact"
"""The field that holds a second number to call; marked as well."""
WHERE = "where"
"""The field of an order whose value is a place; its mark finds other orders of that place."""
MARKED = (PHONE, CONTACT, WHERE)
PLACE = "place:"
"""What an identity begins with that is a place, so that it is nobody's account."""


def place_identity(where: str) -> str:
    """One spelling of a place down to the building, as it is marked; '' for none.

    东城区建业小区九号楼三单元门口 and 建业小区9号楼 are the same.
    """
    from language.places import normalised  # its pinyin takes 0.3 s to load

    bare = _MARKS.sub("", _WORKED.sub("", normalised(where)))
    bare = _AREA.sub("", bare)
    building = _BUILDING.match(bare)
    bare = building.group() if building else _POSITION.sub("", bare)
    return f"{PLACE}{bare}" if bare else ""


_WORKED = re.compile(r"（[^（）]*）")
_MARKS = re.compile(r"[\W_]+")
_AREA = re.compile(
    "^(?:[\u4e00-\u9fff]{2,4}?(?:市(?!场)|(?<![小社校园景厂片])区|县|街道|镇|乡))+(?=.{3})"
)
_BUILDING = re.compile(r".*?[0-9A-Za-z]+(?:号楼|栋|幢|座|号院)")
_POSITION = re.compile(
    "(?:附近|旁边|门口|门前|门外|对面|楼下|楼上|楼道|路口|周边|里面?|内|外面|那儿|那边|那里|这边|这里|一带)+$"
)


@event.listens_for(WorkOrderField, "before_insert")
@event.listens_for(WorkOrderField, "before_update")
def _mark(_: Mapper[Any], connection: Connection, row: WorkOrderField) -> None:
    """However a number or a place gets into an order, or is corrected, it can be found."""
    marker = getattr(connection.dialect, "marker", None)
    if marker is not None:
        row.mark = marker.mark(identity(row)) if row.name in MARKED else ""


def identity(row: WorkOrderField) -> str:
    """What a field is marked by."""
    return place_identity(row.value or "") if row.name == WHERE else row.value or ""
