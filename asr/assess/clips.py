"""The list of an evaluation's recordings: a TSV file with what was said in each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.assess.errors import AssessError

_WAV = ("wav", "file", "path", "录音", "文件")
_TEXT = ("text", "transcript", "reference", "文字", "文本")
_GROUP = ("group", "组", "分组")
_LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording, what was said in it, and the group it counts for ('' for none)."""

    wav: Path
    text: str
    group: str
    line: int


def read_clips(path: Path) -> list[Clip]:
    """The clips of a TSV file: ``wav, text[, group]``, with or without a header; recordings are
    sought from the TSV's folder.

    Raises `AssessError` ``evaluation_missing`` or ``evaluation_invalid``, which names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AssessError("evaluation_missing", f"读不了 {path}（{reason}）") from None
    except UnicodeDecodeError:
        raise _invalid(path, 1, "不是 UTF-8 编码：另存为 UTF-8") from None
    try:
        lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(enumerate(lines, 1))
    except csv.Error as error:
        raise _invalid(path, 1, str(error)) from None
    columns = (0, 1, 2)
    if rows and (named := _header(rows[0][1])):
        columns, rows = named, rows[1:]
    clips = [_clip(path, line, row, columns) for line, row in rows if any(map(str.strip, row))]
    if not clips:
        raise _invalid(path, 1, "里面没有录音")
    return clips


def _header(row: Sequence[str]) -> tuple[int, int, int] | None:
    """Where the header names wav, text and group (-1: not at all); None where it is none."""
    names = [name.strip().lower() for name in row]
    wav, text, group = (
        next((at for at, name in enumerate(names) if name in known), -1)
        for known in (_WAV, _TEXT, _GROUP)
    )
    return None if min(wav, text) < 0 else (wav, text, group)


def _clip(path: Path, line: int, row: Sequence[str], columns: tuple[int, int, int]) -> Clip:
    wav, text, group = columns
    if len(row) <= max(wav, text) or not row[wav].strip():
        raise _invalid(path, line, "要有两列：录音文件和其中说的话，用制表符隔开")
    if len(row[text]) > _LONGEST_TEXT or "\0" in row[wav]:
        raise _invalid(path, line, "文字太长，或者文件名不对")
    named = row[group].strip() if 0 <= group < len(row) else ""
    return Clip(path.parent / row[wav].strip(), row[text].strip(), named, line)


def _invalid(path: Path, line: int, why: str) -> AssessError:
    return AssessError("evaluation_invalid", f"{path.name}:{line}：{why}")
