"""What an import would change, and the change itself: as drafts, or through the publish gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.orm import Session

from knowledge.editing import Act, AnswerKey, Place
from knowledge.files import Contents
from knowledge.publish import Selection

Change = Literal["added", "changed", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class ImportFault:
    """What is wrong in an imported file. ``place``: ``答复!C12`` or ``gjj.rent.yaml:14``.

    ``code``: a fault's (see ``Fault``), or ``file_unreadable``, ``file_too_large``,
    ``too_many_rows``, ``sheet_missing``, ``column_missing``, ``column_doubled``, ``row_doubled``,
    ``matter_unknown``, ``aspect_unknown``, ``region_unknown``, ``date_invalid``,
    ``knowledge_doubled``, ``config_invalid``, ``config_broken``.
    """

    place: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, and everything that is wrong in it; with faults nothing is imported.

    ``partial``: the file need not hold everything (a sheet with a few answers): what it does not
    name is left alone.
    """

    contents: Contents
    faults: tuple[ImportFault, ...] = ()
    partial: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one answer, or of one field of a matter's words (``field``).

    ``kept``: somebody's unpublished version is in the way; ``why`` says whose.
    ``old`` and ``new`` are JSON: a text, a list, or what the answer's fields were and become.
    """

    change: Change
    id: str
    field: str
    old: Any
    new: Any
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The report of what an import would change."""

    answers: tuple[Planned, ...]
    words: tuple[Planned, ...]
    faults: tuple[ImportFault, ...]

    @property
    def ok(self) -> bool:
        """Whether it can be applied."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """For the page and ``--json``."""
        raise NotImplementedError


def read_import(path: Path, place: Place, name: str = "") -> Imported:
    """Read an XLSX file, one YAML file of a matter, or a folder of them.

    Total: what is wrong stands in ``faults``. ``name``: what an uploaded file was called.
    Limits: 10 MB (unpacked 100 MB), 20,000 rows.
    """
    raise NotImplementedError


def plan(session: Session, imported: Imported, place: Place) -> Plan:
    """What applying would do. Reads only."""
    raise NotImplementedError


def apply(
    session: Session, act: Act, place: Place, imported: Imported, *, writer: str = ""
) -> Selection:
    """Make drafts and staged words of everything that is added or changed; their ids.

    ``writer``: who wrote it, where it is not the importer (a file from an office, imported by an
    approver). Raises ``import_refused`` (:class:`EditError`; ``data``: ``faults``) and changes
    nothing where there are faults.
    """
    raise NotImplementedError


def export_workbook(session: Session, place: Place, keys: Sequence[AnswerKey] = ()) -> bytes:
    """What is published (and every matter's words) as XLSX, ready to be read by Excel and WPS."""
    raise NotImplementedError
