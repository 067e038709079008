"""Read matters, answers and questions from a workbook as editors really keep it.

Sheets 事项, 答复, 问法 (any of them), columns in any order under a row of heads, with titles above,
merged cells, blank lines and columns of the editors' own. Everything wrong is told at once, with
sheet, row and column.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from knowledge import sheetcells as cells
from knowledge.editing import Place
from knowledge.importing import NO_DAY, Imported, ImportFault
from knowledge.matters import CITY, AnswerEntry, answer_id
from knowledge.sheetcolumns import (
    ANSWERS,
    GOLDEN_USES,
    LEARNED_USES,
    MATTERS,
    QUESTIONS,
    Sheet,
    find_heads,
    sheet_called,
)
from knowledge.sheetgrid import Grid, GridError, read_grids
from knowledge.sheetmark import Origin, answer_origin, matter_origins, question_mark
from knowledge.sheetrow import Row, RowError, head_faults, rows_of
from knowledge.wordrules import checked_code, checked_fields
from turns.understood import ASPECTS

_WHOLE = frozenset({"", "全市", "市本级", "市", CITY})


def read_workbook(path: Path, place: Place, name: str) -> Imported:
    """Everything the workbook holds; total, see :func:`knowledge.importing.read_import`."""
    try:
        grids = read_grids(path)
    except GridError as error:
        return Imported(faults=(ImportFault(name, error.code, str(error)),))
    return _Reading(place, name).read(grids)


class _Reading:
    """One workbook being read: what was found so far, and every fault."""

    def __init__(self, place: Place, name: str) -> None:
        self._place, self._name = place, name
        self._regions = {name: code for code, name in place.regions.items()}
        self._faults: list[ImportFault] = []
        self._words: dict[str, dict[str, Any]] = {}
        self._answers: list[AnswerEntry] = []
        self._codes: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._origins: dict[str, Origin] = {}
        self._unedited: set[tuple[str, str, str, str]] = set()

    def read(self, grids: tuple[Grid, ...]) -> Imported:
        found = [(sheet_called(grid.title), grid) for grid in grids]
        if not any(sheet for sheet, _ in found):
            found = [(ANSWERS, grid) for grid in grids[:1] if find_heads(ANSWERS, grid.rows)]
        if not found or not any(sheet for sheet, _ in found):
            told = "没有“事项”“答复”“问法”中的任何一张表"
            return Imported(faults=(ImportFault(self._name, "sheet_missing", told),))
        steps: tuple[tuple[Sheet, Callable[[Row], None]], ...] = (
            (MATTERS, self._matter), (ANSWERS, self._answer), (QUESTIONS, self._question),
        )  # fmt: skip
        for wanted, work in steps:
            for sheet, grid in found:
                if sheet is wanted:
                    self._sheet(sheet, grid, work)
        return Imported(
            tuple(self._answers), self._words, tuple(self._faults), partial=True,
            places=self._places, origins=self._origins, unedited=frozenset(self._unedited),
        )  # fmt: skip

    def _sheet(self, sheet: Sheet, grid: Grid, work: Callable[[Row], None]) -> None:
        if not grid.rows:
            return
        heads = find_heads(sheet, grid.rows)
        if heads is None:
            wanted = "、".join(column.head for column in sheet.columns)
            told = f"“{grid.title}”表里找不到表头，应当有：{wanted}"
            self._faults.append(ImportFault(grid.title, "column_missing", told))
            return
        self._faults += head_faults(grid.title, heads)
        if heads.missing or heads.doubled:
            return
        for row in rows_of(sheet, grid, heads):
            try:
                work(row)
            except RowError as error:
                self._faults.append(error.fault)

    def _matter(self, row: Row) -> None:
        code, name = row.text("code"), row.text("name")
        with_code = row.guard("code", lambda: checked_code(code))
        if with_code in self._words:
            row.refuse("code", "row_doubled", f"事项 {code} 在 {self._places[code]} 已经有了")
        fields: dict[str, Any] = {"name": name}
        for given in ("department", "merged_line"):
            if row.has(given):
                fields[given] = row.text(given)
        for given in ("aliases", "phrasings"):
            if row.has(given):
                fields[given] = cells.texts(row.value(given))
        self._words[code] = {
            given: row.guard(given, partial(_checked, given, value))
            for given, value in fields.items()
        }
        origins = matter_origins(row.text("mark"), code, fields)
        self._origins |= {f"{code} {given}": origin for given, origin in origins.items()}
        self._codes[name] = code
        self._places[code] = row.place("code")

    def _answer(self, row: Row) -> None:
        code, aspect, region = self._code(row), self._aspect(row), self._region(row)
        key = answer_id(code, aspect, region)
        if key in self._places:
            row.refuse("aspect", "row_doubled", f"和 {self._places[key]} 是同一条答复")
        start = row.guard("valid_from", lambda: cells.day(row.value("valid_from")))
        entry = AnswerEntry(
            code, aspect, region, row.text("text"), row.text("speech"), row.text("document"),
            row.text("article"), start or NO_DAY,
            row.guard("valid_to", lambda: cells.day(row.value("valid_to"))),
            row.guard("sample", lambda: cells.flag(row.value("sample"))),
        )  # fmt: skip
        self._places[key] = row.place("aspect")
        origin = answer_origin(row.text("mark"), entry)
        if origin is not None:
            self._origins[key] = origin
        if origin is None or origin.touched:
            self._faults += row.wording_faults(entry)
        self._answers.append(entry)

    def _question(self, row: Row) -> None:
        code, aspect, use = self._code(row), self._aspect(row), row.text("use").lower()
        if use not in GOLDEN_USES | LEARNED_USES:
            row.refuse("use", "unreadable", f"用途写“学习”或“黄金问题”，不是“{use[:20]}”")
        field = "golden" if use in GOLDEN_USES else "questions"
        by_aspect = self._words.setdefault(code, {}).setdefault(field, {})
        whole = row.text("text")
        as_it_was = row.text("mark") == question_mark(code, field, aspect, whole)
        for text in filter(None, whole.split("\n")):
            given = row.guard("text", partial(_checked, field, {aspect: [text]})).get(aspect, ())
            by_aspect.setdefault(aspect, []).extend(given)
            if as_it_was:
                self._unedited |= {(code, field, aspect, one) for one in given}
        self._places.setdefault(code, row.place("text"))

    def _code(self, row: Row) -> str:
        code = row.text("code")
        if code:
            return row.guard("code", lambda: checked_code(code))
        name = row.text("name")
        if name not in self._codes:
            column = "code" if row.has("code") else "name"
            row.refuse(column, "matter_unknown", f"写上事项代码；“事项”表里没有“{name[:20]}”")
        return self._codes[name]

    def _aspect(self, row: Row) -> str:
        aspect = row.text("aspect")
        if aspect not in ASPECTS:
            row.refuse("aspect", "aspect_unknown",
                       f"没有方面“{aspect[:20]}”，可以是{'、'.join(ASPECTS)}")  # fmt: skip
        return aspect

    def _region(self, row: Row) -> str:
        given = row.text("region")
        if given in _WHOLE:
            return CITY
        code = given if given in self._place.regions else self._regions.get(given, "")
        if not code:
            named = "、".join(self._place.regions.values())
            row.refuse("region", "region_unknown", f"没有地区“{given[:20]}”，可以是{named}")
        return code


def _checked(field: str, value: Any) -> Any:
    return checked_fields({field: value})[field]
