"""Other systems that use the API: their keys, and what they asked for already."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class ApiKey(Base):
    """A key of another system: ``name`` says whose; ``digest`` is the SHA-256 of its secret.

    ``rights`` are those of ``web.rights``; ``used_at`` is the day it was last used, roughly.
    """

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]
    rights: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    used_at: Mapped[datetime | None]


class ApiRequest(Base):
    """A request that was carried out, by its idempotency key: asked again, it is told again.

    ``digest`` is an HMAC of what was asked for: the same key for something else is refused.
    ``answer`` holds no personal data. Rows are dropped after a few days.
    """

    __tablename__ = "api_request"
    __table_args__ = (UniqueConstraint("client", "key", name="uq_api_request_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client: Mapped[str]
    key: Mapped[str]
    digest: Mapped[str]
    status: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(index=True)
