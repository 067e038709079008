"""What must be told to others: the city's own systems, departments, 110."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Outbox(Base):
    """What must still be told to others, written in the transaction that makes it true.

    ``sent_at``: every target's delivery stands in ``delivery``.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    topic: Mapped[str] = mapped_column(index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Delivery(Base):
    """One message to one target: ``id`` is the stable delivery id that the target sees.

    ``state``: waiting, sent, given_up, refused (for good, by whom it would tell). ``status`` is the
    last HTTP status, 0 where none came; ``fault`` the last stable code.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("outbox_id", "target", name="uq_delivery_target"),
        Index("ix_delivery_state_next", "state", "next_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    target: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    status: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Linkage(Base):
    """An order on its way to 110 or a department at once, or a matter that 110 gave us.

    ``direction``: out, in. ``party``: 110, or the department's name. ``state``: waiting, sent,
    acknowledged, refused, failed, or transferred (by telephone, a row of its own). Only
    ``acknowledged`` may be told to a citizen. ``reference`` is
    the far side's number; ``alarmed_at``: a person was shown that it does not get through.
    """

    __tablename__ = "linkage"
    __table_args__ = (Index("ix_linkage_state_next", "state", "next_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.id"), index=True)
    direction: Mapped[str] = mapped_column(default="out")
    party: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    reference: Mapped[str] = mapped_column(default="")
    fault: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
