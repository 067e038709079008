"""Things that only one transaction may do at a time, in whatever process it runs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import ForUpdateParameter

FOR_CHANGE: Final[ForUpdateParameter] = {"key_share": True}
"""``with_for_update`` of a row whose key stays: rows that point at it can be added meanwhile."""


def one_at_a_time(session: Session, what: str) -> None:
    """From here to the end of the transaction nobody else does ``what``.

    SQLite's writers stand in line anyway, from the beginning of their transactions.
    """
    lock(session.connection(), what)


def lock(connection: Connection, what: str) -> None:
    """As :func:`one_at_a_time`, for a transaction without a session."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(lock_number(what))))


def lock_number(what: str) -> int:
    """The number of an advisory lock, in PostgreSQL's 64 bits."""
    mark = hashlib.sha256(f"qianmen.{what}".encode()).digest()
    return int.from_bytes(mark[:8], "big", signed=True)
