"""Lists of orders as tables to take along: CSV and XLSX, read in batches, safe to open.

No cell is taken for a formula (OWASP ASVS 5.0, 1.2.10). Names and numbers are masked unless they
were asked for by somebody who may; who reported a secret order is never in it for who need not
know.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from config.orders import OrderRules
from handoff.veil import veil_of
from store.engine import reading
from store.tables import WorkOrder, WorkOrderField
from turns.calls import masked
from web import labels
from web.accounts import Member
from web.auditlog import harmless
from web.orderlist import OrderRow, Wanted, orders_after
from web.secrecy import HIDDEN, open_to

MOST = 20_000
"""So many orders are in one file; more are narrowed down by days first."""
_BATCH = 500
_CELL = 32_000  # characters; Excel takes 32 767
_DIGITS = re.compile(r"\d{7,}")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML 1.0, and so a workbook, has no place for."""
_FIELDS = ("what", "when", "where", "name", "phone", "contact", "against")
_WIDTHS = (
    17,
    20,
    9,
    10,
    10,
    14,
    10,
    40,
    60,
    24,
    36,
    10,
    16,
    9,
    24,
    30,
    10,
    20,
    20,
    14,
    10,
    8,
    8,
    12,
)
HEADINGS = (
    "工单编号", "受理时间", "来源", "服务号码", "诉求类型", "分类", "紧急程度", "标题", "诉求内容",
    "发生时间", "发生地点", "反映人", "联系电话", "是否保密", "主办单位", "协办单位", "状态",
    "签收期限", "办理期限", "期限情况", "第几次反映", "催办", "提级", "坐席",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported, and how: ``personal`` shows names and numbers; ``names`` are the classes'
    by code; ``moment`` writes a time in the city's zone."""

    engine: Engine
    wanted: Wanted
    member: Member
    rules: OrderRules
    now: datetime
    moment: Callable[[datetime], str]
    personal: bool = False
    names: Mapping[str, str] | None = None


def rows_of(export: Export) -> Iterator[tuple[str, ...]]:
    """The table's rows, the newest order first, at most ``MOST``; every cell is harmless."""
    cursor, left = "", MOST
    while left > 0:
        rows, cursor = orders_after(
            export.engine, export.wanted, export.now, cursor, min(_BATCH, left)
        )
        fields, open_ = _fields(export, [row.number for row in rows])
        for row in rows:
            cells = _cells(export, row, fields.get(row.number, {}), row.number in open_)
            yield tuple(_plain(cell) for cell in cells)
        left -= len(rows)
        if not cursor:
            return


def as_csv(export: Export) -> Iterator[bytes]:
    """With a byte order mark: Excel and WPS know it for UTF-8 by that."""
    yield b"\xef\xbb\xbf" + _line(HEADINGS)
    batch: list[bytes] = []
    for row in rows_of(export):
        batch.append(_line(row))
        if len(batch) >= _BATCH:
            yield b"".join(batch)
            batch = []
    yield b"".join(batch)


def as_xlsx(export: Export) -> Iterator[bytes]:
    """A workbook is a zip file: written beside the memory first, then given out in pieces."""
    from openpyxl import Workbook  # only who exports loads it

    book = Workbook(write_only=True)
    sheet = book.create_sheet("工单")
    sheet.freeze_panes = "C2"
    for place, width in enumerate(_WIDTHS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    sheet.append([_bold(sheet, heading) for heading in HEADINGS])
    for row in rows_of(export):
        sheet.append(list(row))
    with tempfile.SpooledTemporaryFile(max_size=8 << 20) as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(1 << 16):
            yield piece


def _bold(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # as above
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _line(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "replace")


def _fields(export: Export, numbers: list[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
    """Values by order and name; and the orders of which the member may know who reported."""
    found: dict[str, dict[str, str]] = {}
    with reading(export.engine) as session:
        rows = session.execute(
            select(WorkOrder.number, WorkOrderField.name, WorkOrderField.value)
            .join(WorkOrderField, WorkOrderField.order_id == WorkOrder.id)
            .where(WorkOrder.number.in_(numbers), WorkOrderField.name.in_(_FIELDS))
        )
        for number, name, value in rows:
            found.setdefault(number, {})[name] = value
        open_ = session.scalars(
            select(WorkOrder.number).where(
                WorkOrder.number.in_(numbers), open_to(export.member, export.rules)
            )
        )
        return found, set(open_)


def _cells(
    export: Export, row: OrderRow, fields: Mapping[str, str], known: bool
) -> tuple[str, ...]:
    due = row.due(export.now)
    name, phone = _caller(fields, known=known, personal=export.personal)
    text = _text(export, row, fields, known=known)
    final = row.extended_to or row.due_at
    code = f"{row.code} {(export.names or {}).get(row.code, '')}".strip()
    return (
        row.number, export.moment(row.created_at), labels.channel(row.channel), row.line, row.kind,
        code, labels.urgency(row.urgency), text(row.title), text(fields.get("what", "")),
        fields.get("when", ""), text(fields.get("where", "")), name, phone,
        "是" if row.secret else "否", row.department, "、".join(row.departments), row.state,
        export.moment(row.sign_by) if row.sign_by else "",
        export.moment(final) if final else "",
        due.words if due else "", str(row.repeat_count), str(row.urged), str(row.level), row.agent,
    )  # fmt: skip


def _caller(fields: Mapping[str, str], *, known: bool, personal: bool) -> tuple[str, str]:
    if not known:
        return HIDDEN, HIDDEN
    name, phones = fields.get("name", ""), [fields.get(one, "") for one in ("phone", "contact")]
    if personal:
        return name, "、".join(phone for phone in phones if phone)
    return (f"{name[:1]}**" if name else "",
            "、".join(masked(phone) for phone in phones if phone))  # fmt: skip


def _text(
    export: Export, row: OrderRow, fields: Mapping[str, str], *, known: bool
) -> Callable[[str], str]:
    """How free text is shown: as it is, without numbers, or without who reported."""
    if not known or (row.secret and not export.personal):
        return veil_of(fields).over
    return (lambda value: value) if export.personal else _without_numbers


def _without_numbers(text: str) -> str:
    """Telephone and identity numbers that somebody told in the middle of a text."""
    return _DIGITS.sub(lambda match: masked(match[0]), text)


def _plain(cell: str) -> str:
    return harmless(_ILLEGAL.sub("", cell)[:_CELL])
