"""What is wrong with the database: one stable code for the errors of every driver. Pure."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CODES = (
    "database_down",
    "database_readonly",
    "database_locked",
    "database_corrupt",
    "disk_full",
    "database_old",
    "database_error",
)
"""All that :func:`fault_of` answers.

database_down: not reachable, or not answering in time; database_readonly: it, its file or its
volume refuses writing; database_locked: somebody else held it too long; database_corrupt: the file
is no database, or a damaged one; disk_full; database_old: a table or column is missing, so
``qianmen db upgrade`` was not run; database_error: anything else.
"""


class StoreError(Exception):
    """The database, or a copy of it, cannot be used; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_LINUX = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EROFS: "database_readonly",
    errno.EACCES: "database_readonly",
    errno.EPERM: "database_readonly",
}

# Primary result codes, https://sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_BUSY: "database_locked",
    sqlite3.SQLITE_LOCKED: "database_locked",
    sqlite3.SQLITE_READONLY: "database_readonly",
    sqlite3.SQLITE_PERM: "database_readonly",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_CANTOPEN: "database_down",
    sqlite3.SQLITE_IOERR: "database_down",
    sqlite3.SQLITE_CORRUPT: "database_corrupt",
    sqlite3.SQLITE_NOTADB: "database_corrupt",
}
_MISSING = ("no such table", "no such column", "has no column named")

# https://www.postgresql.org/docs/15/errcodes-appendix.html, the longest prefix decides
_POSTGRESQL = {
    "08": "database_down",  # connection exceptions
    "25006": "database_readonly",
    "28": "database_down",  # the server does not let us in
    "3D000": "database_down",  # no such database
    "40": "database_locked",  # deadlock, serialization failure
    "42703": "database_old",  # no such column
    "42P01": "database_old",  # no such table
    "53": "database_down",  # out of memory, too many connections
    "53100": "disk_full",
    "55P03": "database_locked",
    "57": "database_down",  # shutting down, starting up, statement timeout
    "58": "database_down",  # the server's own input and output
    "58P01": "database_corrupt",  # a file of the database is missing
    "XX001": "database_corrupt",
    "XX002": "database_corrupt",
}
_CONNECTION_LOST = ("OperationalError", "InterfaceError", "ConnectionTimeout")


def fault_of(error: BaseException) -> str:
    """One of :data:`CODES` for whatever a driver, SQLAlchemy or the file system raised.

    The error's causes are looked at too; the first that says something decides.
    """
    codes = (_code(one) for one in _chain(error))
    return next((code for code in codes if code), "database_error")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        driver = current.orig if isinstance(current, DBAPIError) else None
        current = driver or current.__cause__ or current.__context__


def _code(error: BaseException) -> str:
    own = getattr(error, "code", None)
    if own in CODES:
        return str(own)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if type(error).__module__.startswith("psycopg"):
        return _of_postgresql(error)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return "database_down"
    if isinstance(error, PoolTimeout | TimeoutError | ConnectionError):
        return "database_down"
    return _LINUX.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def _of_sqlite(error: sqlite3.Error) -> str:
    number = getattr(error, "sqlite_errorcode", None)
    if number is not None and number & 0xFF in _SQLITE:
        return _SQLITE[number & 0xFF]
    return "database_old" if any(text in str(error) for text in _MISSING) else ""


def _of_postgresql(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None) or ""
    if not state:  # no answer of the server at all
        return "database_down" if type(error).__name__ in _CONNECTION_LOST else ""
    prefixes = (state[:length] for length in range(len(state), 1, -1))
    return next((_POSTGRESQL[prefix] for prefix in prefixes if prefix in _POSTGRESQL), "")
