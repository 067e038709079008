"""What an imported file holds, whichever kind it is: values, and everything that is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from config.errors import ConfigError
from knowledge.editing import Place
from knowledge.files import KNOWN, Contents, read_file, read_folder, read_known
from knowledge.load import fields_of
from knowledge.matters import AnswerEntry, MatterEntry
from knowledge.sheetmark import Origin

NO_DAY = date.min
"""An answer's first day where a sheet gives none: what it was, or today."""
MAX_BYTES = 10 * 1024 * 1024
"""Of an imported file."""


@dataclass(frozen=True, slots=True)
class ImportFault:
    """What is wrong in an imported file. ``place``: ``答复!C12`` or ``gjj.rent.yaml:14``.

    ``code``: a fault's (see ``Fault``), or ``file_unreadable``, ``file_too_large``,
    ``too_many_rows``, ``sheet_missing``, ``column_missing``, ``column_doubled``, ``row_doubled``,
    ``formula``, ``matter_unknown``, ``aspect_unknown``, ``region_unknown``, ``date_invalid``,
    ``knowledge_doubled``, ``config_invalid``, ``config_broken``.
    """

    place: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, and everything that is wrong in it; with faults nothing is imported.

    ``words``: a matter's code → those of ``WORD_FIELDS`` that the file gives. ``partial``:
    questions are added to those there are (a sheet); else the file's are all there shall be.
    ``places``: where an answer's id or a matter's code stands in the file. ``origins``: what an
    answer (its id) or a matter's field (``code field``) was exported from, where the file says it.
    ``unedited``: questions (code, field, aspect, text) that stand there as they were exported.
    """

    answers: tuple[AnswerEntry, ...] = ()
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    faults: tuple[ImportFault, ...] = ()
    partial: bool = False
    places: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    unedited: frozenset[tuple[str, str, str, str]] = frozenset()


def read_import(path: Path, place: Place, name: str = "") -> Imported:
    """Read an XLSX file, one YAML file of a matter, or a folder of them.

    Total: what is wrong stands in ``faults``. ``name``: what an uploaded file was called.
    Limits: 10 MB (unpacked 60 MB), 20,000 rows.
    """
    from knowledge.sheetread import read_workbook  # half a second that YAML need not pay

    name = name or path.name
    if path.is_dir():
        return _folder(path)
    try:
        size = path.stat().st_size
    except OSError:
        return Imported(faults=(ImportFault(name, "file_unreadable", "读不到这个文件"),))
    if size > MAX_BYTES:
        return Imported(faults=(ImportFault(name, "file_too_large", "文件超过 10 MB"),))
    if name.lower().endswith(".xlsx"):
        return read_workbook(path, place, name)
    if name.lower().endswith((".yaml", ".yml")):
        return _file(path, name)
    return Imported(
        faults=(ImportFault(name, "file_unreadable", "只能导入 .xlsx 表格或者 .yaml 文件"),)
    )


def _folder(path: Path) -> Imported:
    """All files are read, so that all faults are told at once."""
    faults: list[ImportFault] = []
    for file in sorted(path.glob("*.yaml")):
        try:
            if file.name == KNOWN:
                read_known(file)
            else:
                read_file(file)
        except ConfigError as error:
            faults += _faults(error, file.name, file.name)
    if faults:
        return Imported(faults=tuple(faults))
    try:
        return _held(read_folder(path))
    except ConfigError as error:
        return Imported(faults=tuple(_faults(error, path.name, path.name)))


def _file(path: Path, name: str) -> Imported:
    try:
        matter, answers = read_file(path)
    except ConfigError as error:
        return Imported(faults=tuple(_faults(error, path.name, name)))
    return _held(Contents((matter,), answers))


def _held(contents: Contents) -> Imported:
    return Imported(contents.answers, {matter.code: _fields(matter) for matter in contents.matters})


def _fields(matter: MatterEntry) -> dict[str, Any]:
    return fields_of(matter)


def _faults(error: ConfigError, called: str, name: str) -> list[ImportFault]:
    """One fault a line of the error; its place is ``file:line`` where the error says it."""
    found: list[ImportFault] = []
    for line in str(error).splitlines():
        told = line.replace(called, name, 1)
        place, _, rest = told.partition(": ")
        found.append(
            ImportFault(place, error.code, rest) if rest and name in place
            else ImportFault(name, error.code, told)
        )  # fmt: skip
    return found
