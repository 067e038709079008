"""Labelled sentences: what was said and what is right, from a table with tabs or a plain list."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from config.errors import ConfigError
from turns.understood import ACTS, ASPECTS, Decision

Role = Literal["", "danger", "calm", "person", "notperson"]

OPEN_ACTS = ("", "policy", "other")
"""Acts with which an unlabelled matter means: out of scope."""
FIELDS = ("kind", "where", "when_from", "when_to", "phone", "amount")
"""What a complaint's last turn may be labelled with."""
_DECISIONS: tuple[str, ...] = get_args(Decision)


@dataclass(frozen=True, slots=True)
class Label:
    """One turn and what is right for it; '' and () are open.

    ``file`` and ``line`` say where it stands. ``aspects``: any of them is right. ``role``: from
    which of the plain lists it comes. ``fields``: of :data:`FIELDS`, those that are labelled.
    """

    file: str
    line: int
    text: str
    conversation: str = ""
    turn: int = 0
    channel: str = "web"
    region: str = ""
    matter: str = ""
    aspects: tuple[str, ...] = ()
    act: str = ""
    decision: str = ""
    role: Role = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    complaint: bool = False

    @property
    def in_scope(self) -> bool:
        """Whether something published is asked for."""
        return bool(self.matter)

    @property
    def out_of_scope(self) -> bool:
        """Whether no published answer may be said."""
        told = self.role or self.matter or self.complaint or self.act not in OPEN_ACTS
        return not told and self.decision in ("", "ask", "miss", "talk")

    @property
    def follow_up(self) -> bool:
        """Whether it asks on in a conversation."""
        return self.turn >= 2 and bool(self.aspects)

    def said(self, text: str, channel: str = "") -> Label:
        """The same meant, with other words: misheard, or told on another channel."""
        return replace(self, text=text, channel=channel or self.channel)


def read_labels(path: Path, matters: Collection[str]) -> tuple[Label, ...]:
    """The rows of a table. ``matters``: all known codes.

    Raises :class:`ConfigError` ``labels_unreadable`` or ``labels_invalid``, naming file and line.
    """
    rows = csv.DictReader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    if "text" not in (rows.fieldnames or ()):
        raise _invalid(path, 1, "第一行要有列名 text")
    labels = tuple(_label(path, number, row, matters) for number, row in enumerate(rows, 2))
    return _complaints_apart(labels)


def read_list(path: Path, role: Role) -> tuple[Label, ...]:
    """A sentence a line. Raises :class:`ConfigError` ``labels_unreadable``."""
    lines = enumerate(_lines(path), 1)
    return tuple(Label(path.name, at, text, role=role) for at, text in lines if text.strip())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("labels_unreadable", f"{path}: {_reason(error)}") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "不是 UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)


def _label(path: Path, line: int, row: Mapping[str, str | None], matters: Collection[str]) -> Label:
    cells = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str)}
    turn = cells.get("turn", "")
    if turn and not (turn.isascii() and turn.isdigit()):
        raise _invalid(path, line, f"turn: {turn} 不是整数")
    aspects = tuple(filter(None, cells.get("aspect", "").split("|")))
    families = {code.partition(".")[0] for code in matters}
    _known(path, line, "matter", [cells.get("matter", "")], {*matters, *families})
    _known(path, line, "aspect", aspects, ASPECTS)
    _known(path, line, "act", [cells.get("act", "")], ACTS)
    _known(path, line, "decision", [cells.get("decision", "")], _DECISIONS)
    return Label(
        file=path.name, line=line, text=row.get("text") or "",
        conversation=cells.get("conversation", ""), turn=int(turn or 0),
        channel=cells.get("channel") or "web", region=cells.get("region", ""),
        matter=cells.get("matter", ""), aspects=aspects, act=cells.get("act", ""),
        decision=cells.get("decision", ""),
        fields={name: cells[name] for name in FIELDS if cells.get(name)},
    )  # fmt: skip


def _known(
    path: Path, line: int, column: str, values: Iterable[str], known: Collection[str]
) -> None:
    for value in values:
        if value and value not in known:
            raise _invalid(path, line, f"{column}: 没有 {value}")


def _invalid(path: Path, line: int, text: str) -> ConfigError:
    return ConfigError("labels_invalid", f"{path}:{line}: {text}")


def _complaints_apart(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    talks = {label.conversation for label in labels if label.fields}
    return tuple(
        replace(label, complaint=True)
        if label.fields or (label.conversation and label.conversation in talks)
        else label
        for label in labels
    )
