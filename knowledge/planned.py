"""The report of an import: what becomes of each answer and each field of a matter. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from knowledge.editing import Wording
from knowledge.history import Piece, difference
from knowledge.importing import ImportFault
from knowledge.versionrows import plain

Change = Literal["added", "changed", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one answer, or of one field of a matter's words (``field``).

    ``id`` is an answer's id or a matter's code. ``kept``: somebody's unpublished work is in the
    way, or it was changed after the file was exported; ``why`` says which. ``old`` and ``new`` are
    JSON: for an answer those of its fields that differ, for a word field its values; ``old`` is
    None where there was nothing. ``title`` names it for people: the matter's name, for an answer
    with the aspect and the district.
    """

    change: Change
    id: str
    field: str
    old: Any
    new: Any
    why: str = ""
    title: str = ""


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

    def counts(self) -> dict[str, int]:
        """How many answers and word fields are added, changed, unchanged, kept."""
        found = {"added": 0, "changed": 0, "unchanged": 0, "kept": 0}
        for one in (*self.answers, *self.words):
            found[one.change] += 1
        return found

    def as_json(self) -> dict[str, Any]:
        """For the page and ``--json``; what does not change is only counted."""
        return {
            "ok": self.ok, "counts": self.counts(),
            "answers": [asdict(one) for one in self.answers if one.change != "unchanged"],
            "words": [asdict(one) for one in self.words if one.change != "unchanged"],
            "faults": [asdict(fault) for fault in self.faults],
        }  # fmt: skip


def changes(one: Planned) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
    """Field by field, what turns the old values into the new ones, as texts for people.

    Several texts stand one a line; questions with their aspect. What is the same is left out.
    """
    old, new = ({one.field: one.old}, {one.field: one.new}) if one.field else (one.old, one.new)
    pairs = {name: (_told((old or {}).get(name)), _told(new[name])) for name in new or {}}
    return tuple((name, difference(*pair)) for name, pair in pairs.items() if pair[0] != pair[1])


def differing(old: Wording | None, new: Wording) -> tuple[Any, Any]:
    """The fields in which two wordings differ, as JSON: what they were and are to be."""
    after = {name: plain(value) for name, value in asdict(new).items()}
    if old is None:
        return None, after
    before = {name: plain(value) for name, value in asdict(old).items()}
    names = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return "\n".join(f"{aspect}：{text}" for aspect, texts in value.items() for text in texts)
    if isinstance(value, list | tuple):
        return "\n".join(value)
    return "" if value is None else str(value)
