"""Rows for every table of whatever revision, with the values that are easily lost."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.engine import Connection

from store.engine import reading
from store.rows import RawTable, raw_tables, read_rows, reflect, write_rows

HARD_TEXT = "油烟😷 «ü» \\\"'\n\t%s %(x)s \x7f\u2028 end"
HARD_JSON: dict[str, Any] = {
    "词": ["😷", None, 1.5, 10**15, True, {}],
    "null": None,
    "": "\\u0000 as text",
}
MOMENT = datetime.fromisoformat("2026-11-20T04:00:00.123457+00:00")
ROWS = 3


def fill(connection: Connection) -> None:
    """A few rows into every table that has none; keys point at rows that exist."""
    tables = {table.name: table for table in reflect(connection)}
    for raw in raw_tables(connection):
        if not list(read_rows(connection, raw)):
            rows = [_row(tables[raw.name], raw, number) for number in range(1, ROWS + 1)]
            write_rows(connection, raw, rows)


def _row(table: Table, raw: RawTable, number: int) -> list[Any]:
    return [_value(table, name, kind, number) for name, kind in raw.columns]


def _value(table: Table, name: str, kind: str, number: int) -> Any:
    column = table.c[name]
    if column.foreign_keys:  # the rows of other tables are numbered as well
        return number * 1000 if kind == "int" else f"id-{number}"
    if column.nullable and number == 2:
        return None
    key = column.primary_key
    return {
        "text": f"id-{number}" if key else _text(name, number),
        "int": _number(name, number, key),
        "float": (0.1, 1 / 3, 5e-324)[number - 1],
        "bool": number % 2 == 0,
        "date": (date(2026, 2, 28) + timedelta(days=number)).isoformat(),
        "time": (MOMENT + timedelta(days=number)).isoformat(),
        "json": ("null", json.dumps(HARD_JSON, ensure_ascii=False), '{"a":  1.50}')[number - 1],
    }[kind]


def _text(name: str, number: int) -> str:
    return "" if name in ("citizen_mark", "mark", "chain") else f"{HARD_TEXT}{number}"


def _number(name: str, number: int, key: bool) -> int:
    if key:
        return 2**31 - 10 if number == 3 and name == "seq" else number * 1000
    return -number if number == 1 else 2**31 - number


def everything(engine: Engine) -> dict[str, tuple[RawTable, list[list[Any]]]]:
    """All rows of all tables, as they are stored."""
    with reading(engine) as session:
        connection = session.connection()
        return {raw.name: (raw, list(read_rows(connection, raw))) for raw in raw_tables(connection)}
