"""Rows as they are stored, in a form that is the same on both engines: sealed stays sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    table,
)
from sqlalchemy.types import TypeEngine

from store.tables import Base
from store.types import UtcDateTime

Kind = Literal["text", "int", "float", "bool", "date", "time", "json"]
_BATCH = 500  # rows in memory at a time

_TYPES: Final[dict[Kind, TypeEngine[Any]]] = {
    "text": Text(), "int": Integer(), "float": Float(), "bool": Boolean(), "date": Date(),
    "time": UtcDateTime(), "json": Text(),
}  # fmt: skip
_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], Kind], ...]] = (
    (JSON, "json"), (DateTime, "time"), (Date, "date"), (Boolean, "bool"), (Float, "float"),
    (Integer, "int"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table of ours as it is in a database: its columns in order, its primary key."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: tuple[str, ...]


def reflect(connection: Connection) -> tuple[Table, ...]:
    """Our tables as they are there, those that others point at first. Other tables are not seen."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name in Base.metadata.tables)
    return tuple(metadata.sorted_tables)


def raw_tables(connection: Connection) -> tuple[RawTable, ...]:
    """As :func:`reflect`, of whatever revision the schema is."""
    return tuple(
        RawTable(
            found.name,
            tuple((one.name, _kind(one)) for one in found.columns),
            tuple(one.name for one in found.primary_key.columns),
        )
        for found in reflect(connection)
    )


def _kind(found: Column[Any]) -> Kind:
    return next((kind for known, kind in _KINDS if isinstance(found.type, known)), "text")


def read_rows(connection: Connection, raw: RawTable) -> Iterator[list[Any]]:
    """All rows in the order of the primary key, as values that JSON can hold; JSON as its text."""
    one = table(raw.name, *(column(name, _TYPES[kind]) for name, kind in raw.columns))
    wanted = (
        cast(one.c[name], Text) if kind == "json" else one.c[name] for name, kind in raw.columns
    )
    statement = select(*wanted).order_by(*(one.c[name] for name in raw.key))
    with connection.execute(statement, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows:
            yield [_plain(value) for value in row]


def write_rows(connection: Connection, raw: RawTable, rows: Iterable[list[Any]]) -> None:
    """Add rows of :func:`read_rows`; raises ValueError for what cannot have come from there."""
    one = table(raw.name, *(column(name, _TYPES[kind]) for name, kind in raw.columns))
    is_postgresql = connection.dialect.name == "postgresql"
    values = {
        name: cast(bindparam(name, type_=Text), JSON)
        if kind == "json" and is_postgresql
        else bindparam(name, type_=_TYPES[kind])
        for name, kind in raw.columns
    }
    statement = insert(one).values(values)
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(_stored(raw, row, is_postgresql))
        if len(batch) == _BATCH:
            connection.execute(statement, batch)
            batch = []
    if batch:
        connection.execute(statement, batch)


def count_rows(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    return connection.scalar(select(func.count()).select_from(table(name))) or 0


def continue_ids(connection: Connection, raw: RawTable) -> None:
    """Let new rows get ids behind the ones that were written. SQLite does so by itself."""
    if connection.dialect.name != "postgresql" or len(raw.key) != 1:
        return
    (key,) = raw.key
    sequence = connection.scalar(select(func.pg_get_serial_sequence(raw.name, key)))
    if sequence is None:
        return
    last = connection.scalar(select(func.max(column(key))).select_from(table(raw.name)))
    connection.execute(select(func.setval(sequence, last or 1, last is not None)))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


_PARSE: Final[dict[Kind, Callable[[Any], Any]]] = {
    "time": datetime.fromisoformat,
    "date": date.fromisoformat,
}
_PYTHON: Final[dict[Kind, tuple[type, ...]]] = {
    "text": (str,), "int": (int,), "float": (float, int), "bool": (bool,), "date": (str,),
    "time": (str,), "json": (str,),
}  # fmt: skip


def _stored(raw: RawTable, row: Any, is_postgresql: bool) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(raw.columns):
        raise ValueError(f"a row of {raw.name} has another shape")
    return {
        name: _value(raw.name, name, kind, value, is_postgresql)
        for (name, kind), value in zip(raw.columns, row, strict=True)
    }


def _value(where: str, name: str, kind: Kind, value: Any, is_postgresql: bool) -> Any:
    fits: bool = isinstance(value, _PYTHON[kind])  # in a variable: value stays Any
    if value is None:
        return None
    if not fits:
        raise ValueError(f"{where}.{name} is no {kind}")
    if kind == "json":
        json.loads(value)  # PostgreSQL would refuse it in the middle of a batch
    if is_postgresql and isinstance(value, str):
        value = value.replace("\x00", "")  # which PostgreSQL cannot hold, and nobody can read
    return _PARSE[kind](value) if kind in _PARSE else value
