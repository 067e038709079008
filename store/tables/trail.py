"""Who saw or changed what, and with which keys personal data is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Audit(Base):
    """Who saw or changed what. ``chain`` ties each line to the one before (``store.audit``)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str] = mapped_column(default="", index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    chain: Mapped[str] = mapped_column(default="")


class DataKey(Base):
    """A key that something here is sealed with; ``id`` as ``sealing.keys.Key`` has it."""

    __tablename__ = "data_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    first_used_at: Mapped[datetime]
