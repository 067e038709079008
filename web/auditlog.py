"""Read the audit: narrowed down, by page, or whole as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from store.engine import reading
from store.tables import Audit
from web import auditwords, labels

PAGE_SIZE = 50
_BATCH = 500
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
HEADINGS = ("序号", "时间", "人员", "操作", "对象", "详情")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the audit is narrowed to; '' and None are everything; both days are included."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: date | None = None
    until: date | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    data: dict[str, Any]

    @property
    def details(self) -> str:
        """The data in short, for people."""
        return auditwords.details(self.data)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page, newest first."""

    lines: tuple[Line, ...]
    total: int
    page: int
    pages: int


def parse_day(text: str) -> date | None:
    """A day as a form has it (2026-11-20); None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def list_audit(engine: Engine, wanted: Wanted, zone: tzinfo) -> AuditPage:
    """The page that is wanted, or the last one there is."""
    where = _conditions(wanted, zone)
    with reading(engine) as session:
        total = session.scalar(select(func.count()).select_from(Audit).where(*where)) or 0
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(max(1, wanted.page), pages)
        rows = session.scalars(
            select(Audit).where(*where).order_by(Audit.id.desc())
            .limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        )  # fmt: skip
        return AuditPage(tuple(_line(row) for row in rows), total, page, pages)


def known_actions(engine: Engine) -> tuple[str, ...]:
    """The actions that occur."""
    with reading(engine) as session:
        found = session.scalars(select(Audit.action).distinct())
        return tuple(sorted(found, key=labels.action))


def as_csv(
    engine: Engine, wanted: Wanted, zone: tzinfo, moment: Callable[[datetime], str]
) -> Iterator[bytes]:
    """The lines as CSV, oldest first, read in batches; with a byte order mark for spreadsheets."""
    yield b"\xef\xbb\xbf" + _row(HEADINGS)
    last = 0
    while True:
        lines = _after(engine, wanted, zone, last)
        if not lines:
            return
        last = lines[-1].id
        yield b"".join(
            _row((str(line.id), moment(line.at), line.actor, labels.action(line.action),
                  labels.target(line.target), json.dumps(line.data, ensure_ascii=False)
                  if line.data else ""))
            for line in lines
        )  # fmt: skip


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10). Pure."""
    bare = cell.lstrip(" \u3000\ufeff\x00")
    return f"'{cell}" if bare.startswith(_RISKY) or cell.startswith("'") else cell


def _row(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


def _after(engine: Engine, wanted: Wanted, zone: tzinfo, last: int) -> tuple[Line, ...]:
    where = _conditions(replace(wanted, page=1), zone)
    with reading(engine) as session:
        rows = session.scalars(
            select(Audit).where(*where, Audit.id > last).order_by(Audit.id).limit(_BATCH)
        )
        return tuple(_line(row) for row in rows)


def _conditions(wanted: Wanted, zone: tzinfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.actor and wanted.actor.isprintable():
        conditions.append(_by(auditwords.actor_code(wanted.actor)))
    if wanted.action and wanted.action.isprintable():
        conditions.append(Audit.action == wanted.action)
    if wanted.target and wanted.target.isprintable():
        conditions.append(Audit.object.in_((wanted.target, f"staff:{wanted.target}")))
    if wanted.since is not None:
        conditions.append(Audit.at >= datetime.combine(wanted.since, time(), zone))
    if wanted.until is not None and wanted.until < date.max:
        after = wanted.until + timedelta(days=1)
        conditions.append(Audit.at < datetime.combine(after, time(), zone))
    return conditions


def _by(code: str) -> ColumnElement[bool]:
    """Done by that code; where it ends in a colon, by all that begin with it."""
    return Audit.actor.startswith(code, autoescape=True) if code[-1] == ":" else Audit.actor == code


def _line(row: Audit) -> Line:
    data = row.data if isinstance(row.data, dict) else {"": row.data}
    return Line(row.id, row.at, row.actor, row.action, row.object, data)
