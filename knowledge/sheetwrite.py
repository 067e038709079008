"""Matters, answers and questions as a workbook for Excel and WPS.

Every cell is a text or a day, never a formula: what starts with ``=``, ``+``, ``-`` or ``@`` is
stored as a text and marked as quoted (OWASP ASVS 5.0, 1.2.10), and reads back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.editing import Place
from knowledge.files import Contents
from knowledge.matters import AnswerEntry, MatterEntry, answer_id
from knowledge.sheetcolumns import ANSWERS, MATTERS, QUESTIONS, Sheet
from knowledge.sheetmark import MATTER_FIELDS, answer_mark, matter_mark, question_mark

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDTHS = {"text": 60, "speech": 40, "document": 40, "aliases": 30, "phrasings": 40, "name": 22,
           "article": 24, "department": 22}  # fmt: skip
_WIDTH = 12


def workbook(contents: Contents, place: Place, versions: Mapping[str, int] | None = None) -> bytes:
    """The file's bytes; :func:`knowledge.sheetread.read_workbook` reads the same back.

    ``versions``: an answer's id → its newest published version, for the rows' marks.
    """
    names, newest = {matter.code: matter.name for matter in contents.matters}, versions or {}
    book = Workbook()
    book.remove(book.worksheets[0])
    _fill(book, MATTERS, (_matter(matter) for matter in contents.matters))
    _fill(book, ANSWERS, (_answer(entry, names, place, newest) for entry in contents.answers))
    _fill(book, QUESTIONS, (row for matter in contents.matters for row in _questions(matter)))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _matter(matter: MatterEntry) -> Sequence[Any]:
    return (matter.code, matter.name, matter.department, matter.merged_line,
            _lines(matter.aliases), _lines(matter.phrasings),
            matter_mark(matter.code, {name: getattr(matter, name) for name in MATTER_FIELDS}),
            )  # fmt: skip


def _lines(texts: Sequence[str]) -> str:
    """One a line; a line break tells a single one with a comma from several."""
    return "\n".join(texts) + ("\n" if len(texts) == 1 else "")


def _answer(
    entry: AnswerEntry, names: Mapping[str, str], place: Place, versions: Mapping[str, int]
) -> Sequence[Any]:
    version = versions.get(answer_id(entry.matter, entry.aspect, entry.region), 0)
    return (
        entry.matter, names[entry.matter], entry.aspect,
        place.regions.get(entry.region, entry.region), entry.text, entry.speech, entry.document,
        entry.article, entry.valid_from, entry.valid_to, "是" if entry.sample else "",
        answer_mark(entry, version),
    )  # fmt: skip


def _questions(matter: MatterEntry) -> Iterable[Sequence[Any]]:
    for use, field in (("学习", "questions"), ("黄金问题", "golden")):
        for aspect, texts in getattr(matter, field).items():
            for text in texts:
                mark = question_mark(matter.code, field, aspect, text)
                yield matter.code, matter.name, aspect, text, use, mark


def _fill(book: Workbook, sheet: Sheet, rows: Iterable[Sequence[Any]]) -> None:
    page: Worksheet = book.create_sheet(sheet.title)
    heads = [column.head for column in sheet.columns]
    for number, row in enumerate((heads, *rows), start=1):
        for at, value in enumerate(row, start=1):
            _put(page, number, at, value)
    for at, column in enumerate(sheet.columns, start=1):
        page.cell(1, at).font = Font(bold=True)
        page.column_dimensions[get_column_letter(at)].width = _WIDTHS.get(column.name, _WIDTH)
    page.freeze_panes = "A2"


def _put(page: Worksheet, row: int, column: int, value: Any) -> None:
    if value is None or value == "":
        return
    cell = page.cell(row, column)
    if isinstance(value, date):
        cell.value, cell.number_format = value, "yyyy-mm-dd"
        return
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value))
    cell.value, cell.data_type = text, "s"  # in this order: the value alone would be guessed at
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if text.startswith(_FORMULA):
        cell.quotePrefix = True
