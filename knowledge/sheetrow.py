"""One row of a sheet under its heads, and the faults that name its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from openpyxl.utils import get_column_letter

from knowledge import sheetcells as cells
from knowledge.editing import EditError, Wording
from knowledge.importing import NO_DAY, ImportFault
from knowledge.matters import AnswerEntry
from knowledge.sheetcells import CellError
from knowledge.sheetcolumns import MATTERS, Heads, Sheet
from knowledge.sheetgrid import Formula, Grid
from knowledge.wording import faults

T = TypeVar("T")
_WHOSE = frozenset({"code", "name"})


class RowError(Exception):
    """A row that cannot be read; ``fault`` says where and why."""

    def __init__(self, fault: ImportFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``number`` counts from 1."""

    sheet: Sheet
    title: str
    number: int
    heads: Heads
    values: Sequence[Any]

    def has(self, name: str) -> bool:
        """Whether the sheet has that column."""
        return name in self.heads.at

    def value(self, name: str) -> Any:
        """The cell as it is, None where there is no such column; a formula is refused."""
        at = self.heads.at.get(name)
        value = self.values[at - 1] if at is not None and at <= len(self.values) else None
        if isinstance(value, Formula):
            self.refuse(name, "formula", "这里是公式，请先粘贴成数值")
        return value

    def text(self, name: str) -> str:
        """The cell as text."""
        return cells.text(self.value(name))

    def guard(self, name: str, work: Callable[[], T]) -> T:
        """What ``work`` gives; what it refuses becomes this cell's fault."""
        try:
            return work()
        except CellError as error:
            self.refuse(name, error.code, str(error))
        except EditError as error:
            found = error.data.get("faults")
            self.refuse(name, found[0]["code"] if found else error.code, str(error))

    def refuse(self, name: str, code: str, message: str) -> NoReturn:
        """Raise the fault of this cell."""
        raise RowError(self.fault(name, code, message))

    def fault(self, name: str, code: str, message: str) -> ImportFault:
        """A fault of this cell: sheet, row and column are named."""
        head = self.sheet.column(name).head
        told = f"“{self.title}”表第 {self.number} 行“{head}”：{message}"
        return ImportFault(self.place(name), code, told)

    def place(self, name: str) -> str:
        """Where the cell stands: ``答复!C12``."""
        at = self.heads.at.get(name)
        column = get_column_letter(at) if at is not None else ""
        return f"{self.title}!{column}{self.number}"

    def wording_faults(self, entry: AnswerEntry) -> Iterator[ImportFault]:
        """What keeps the row's answer from being published (but that it is over already)."""
        given = Wording(entry.text, entry.speech, entry.document, entry.article,
                        entry.valid_from, entry.valid_to, entry.sample)  # fmt: skip
        for fault in faults(given, NO_DAY):
            yield self.fault(fault.field, fault.code, fault.message)


def rows_of(sheet: Sheet, grid: Grid, heads: Heads) -> Iterator[Row]:
    """The rows below the heads; those in which nothing is written are left out (a matter's code
    alone, merged over blank lines, is nothing).
    """
    told = [at for name, at in heads.at.items() if sheet is MATTERS or name not in _WHOSE]
    for number, values in enumerate(grid.rows[heads.row :], start=heads.row + 1):
        filled = (values[at - 1] for at in told if at <= len(values))
        if any(cells.text(value) for value in filled):
            yield Row(sheet, grid.title, number, heads, values)


def head_faults(title: str, heads: Heads) -> Iterator[ImportFault]:
    """Columns that are missing or stand twice."""
    for column in heads.missing:
        told = f"“{title}”表缺少“{column.head}”这一列"
        yield ImportFault(f"{title}!{heads.row}", "column_missing", told)
    for column, number in heads.doubled:
        place = f"{title}!{get_column_letter(number)}{heads.row}"
        told = f"“{title}”表里“{column.head}”这一列有两个"
        yield ImportFault(place, "column_doubled", told)
