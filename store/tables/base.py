"""The one metadata, and how Python's types are kept.

All times are aware and kept in UTC. Ids that travel are strings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Date, Float, String
from sqlalchemy.orm import DeclarativeBase

from store.types import UtcDateTime


class Base(DeclarativeBase):
    """The one metadata that Alembic compares with the database."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        date: Date,
        float: Float,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: String(),
    }
