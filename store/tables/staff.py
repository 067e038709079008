"""Who works here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base


class Staff(Base):
    """Somebody who signs in: agent, editor, approver, supervisor, administrator.

    ``subject`` is ``issuer#sub`` of the city's single sign-on. Sessions begun before ``valid_from``
    (a new password, switched off) are void; ``must_change``: the password was given by another.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[Any]] = mapped_column(default=list)
    skills: Mapped[list[Any]] = mapped_column(default=list)
    phone_uri: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)
    subject: Mapped[str | None] = mapped_column(String(500), unique=True)
    must_change: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[datetime | None]
    created_at: Mapped[datetime]
