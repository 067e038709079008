"""The database's URL as cities write it, and as SQLAlchemy wants it. Pure."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from store.faults import StoreError

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def database_url(text: str) -> URL:
    """``text`` with the driver that is installed here; nothing of it is in an error's message.

    Raises :class:`StoreError` ``database_url``: no URL, another kind of database or driver, or one
    that names no database.
    """
    try:
        url = make_url(text.strip())
    except (SQLAlchemyError, ValueError):
        raise StoreError(
            "database_url",
            "DATABASE_URL is not a database URL: write postgresql://USER:PASSWORD@HOST:5432/NAME"
            " (a password with special characters percent-encoded) or sqlite:////FOLDER/FILE",
        ) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise StoreError("database_url", "DATABASE_URL must begin with postgresql:// or sqlite:///")
    if driver != "sqlite" and not url.database:
        raise StoreError("database_url", "DATABASE_URL names no database: …@HOST:5432/NAME")
    return url.set(drivername=driver)


def shown(text: str) -> str:
    """``text`` for people: without its password and what else stands in its query."""
    try:
        url = database_url(text)
    except StoreError:
        return "?"
    return url.set(query={}).render_as_string(hide_password=True)
