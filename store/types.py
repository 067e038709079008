"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import JSON, DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from sealing.errors import SealError
from sealing.words import open_plain, store_plain


class UtcDateTime(TypeDecorator[datetime]):
    """A time-zone aware moment, kept as UTC; a naive one is refused (``ValueError``)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; SQLite keeps no zone, so it is taken off there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # the signature is SQLAlchemy's
    ) -> datetime | None:
        """Back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Seal(Protocol):
    """Encrypts what is stored; an engine that has one carries it as ``dialect.seal``."""

    def seal(self, text: str) -> str:
        """``text`` encrypted."""

    def open(self, stored: str) -> str:
        """What ``seal`` was given; a text that was stored before there was a key, as it is."""


class SealedText(TypeDecorator[str]):
    """Personal text: encrypted where the installation has a key (``store.seal``)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal it."""
        if not value:
            return value
        seal = _seal_of(dialect)
        return seal.seal(value) if seal else store_plain(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open it; raises :class:`sealing.errors.SealError`."""
        if not value:
            return value
        seal = _seal_of(dialect)
        return seal.open(value) if seal else open_plain(value)


class SealedJson(TypeDecorator[Any]):
    """Personal JSON: where there is a key, the column holds one JSON string, the sealed text."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Seal what is not empty."""
        seal = _seal_of(dialect)
        return seal.seal(json.dumps(value, ensure_ascii=False)) if seal and value else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Open it; what was stored plainly stays as it is. Raises ``SealError``."""
        if not isinstance(value, str):
            return value
        seal = _seal_of(dialect)
        if seal is None:
            raise SealError("data_key_missing", "sealed data, but QIANMEN_DATA_KEY is not set")
        return json.loads(seal.open(value))


def _seal_of(dialect: Dialect) -> Seal | None:
    seal: Seal | None = getattr(dialect, "seal", None)
    return seal
