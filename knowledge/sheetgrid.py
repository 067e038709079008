"""An XLSX file as plain rows: nothing is executed, all is bounded, merged cells are filled."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

MAX_UNPACKED = 60 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 60
_MAX_CELLS = 600_000
_MAX_PARTS = 2_000
_CELL = re.compile(rb"<(?:\w+:)?c[ >/]")


class GridError(Exception):
    """A file that cannot be read; ``code`` is ``file_unreadable``, ``file_too_large`` or
    ``too_many_rows``, the message Chinese."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Formula(str):
    """What a cell with a formula holds; it is never computed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet: its title and its rows of values, from row 1 and column A on."""

    title: str
    rows: Sequence[Sequence[Any]]


def read_grids(path: Path) -> tuple[Grid, ...]:
    """All visible worksheets. Raises :class:`GridError`.

    defusedxml is installed, and openpyxl then refuses entities in the file's XML.
    """
    _check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl leaves out: drop-down lists, pictures
            book = load_workbook(path, data_only=False, keep_links=False)
    except Exception as error:  # openpyxl raises whatever a broken part makes it raise
        raise GridError("file_unreadable", "这个表格打不开，请用 Excel 或 WPS 另存一次") from error
    try:
        return tuple(_grid(sheet) for sheet in book.worksheets if sheet.sheet_state == "visible")
    finally:
        book.close()


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise GridError("file_too_large", "表格解开以后超过 60 MB")
            sheets = [part for part in parts if part.filename.startswith("xl/worksheets/sheet")]
            cells = sum(_cells(archive, part) for part in sheets)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
        raise GridError("file_unreadable", "这不是 .xlsx 表格，或者加了密码") from error
    if cells > _MAX_CELLS:
        raise GridError("too_many_rows", f"表格太大，最多 {MAX_ROWS} 行")


def _cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many cells a sheet holds; what is unpacked is counted, whatever the archive claims."""
    with archive.open(part) as file:
        data = file.read(MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        raise GridError("file_too_large", "表格解开以后超过 60 MB")
    return len(_CELL.findall(data))


def _grid(sheet: Worksheet) -> Grid:
    columns = min(sheet.max_column, MAX_COLUMNS)
    rows = [
        [_value(cell) for cell in row]
        for row in sheet.iter_rows(min_row=1, max_row=_last_row(sheet), max_col=columns)
    ]
    while rows and not any(value is not None for value in rows[-1]):
        rows.pop()
    if len(rows) > MAX_ROWS:
        raise GridError("too_many_rows", f"“{sheet.title}”有 {len(rows)} 行，最多 {MAX_ROWS} 行")
    _fill_merges(sheet, rows)
    return Grid(sheet.title, rows)


def _last_row(sheet: Worksheet) -> int:
    """The last row with a value: formats may go on to the end of the sheet."""
    filled = (
        number
        for (number, _), cell in sheet._cells.items()
        if not isinstance(cell, MergedCell) and cell.value is not None
    )
    return max(filled, default=1)


def _value(cell: Cell | MergedCell) -> Any:
    if isinstance(cell, MergedCell):
        return None
    if cell.data_type == "f":
        return Formula(cell.value)
    if cell.data_type == "e":
        return Formula(cell.value)  # #N/A and the like: what a formula left behind
    return cell.value


def _fill_merges(sheet: Worksheet, rows: list[list[Any]]) -> None:
    """A merged cell's value holds for every row it covers."""
    for merged in sheet.merged_cells.ranges:
        left, top, right, bottom = merged.bounds
        if top > len(rows) or left > len(rows[0]):
            continue
        value = rows[top - 1][left - 1]
        for row in rows[top - 1 : bottom]:
            for column in range(left - 1, min(right, len(row))):
                row[column] = value
