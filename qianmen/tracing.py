"""Find what all processes logged of one turn, conversation or order. Reads log files only."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from store.engine import reading
from store.tables import WorkOrder

Line = dict[str, Any]


class TraceError(Exception):
    """Nothing to follow; ``code`` is ``trace_unknown``."""

    code = "trace_unknown"


def matching(lines: Iterable[str], wanted: str) -> Iterator[Line]:
    """The log lines (JSON objects) of that trace or conversation id; what is no JSON is passed."""
    for line in lines:
        if wanted not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and wanted in (event.get("trace"), event.get("conversation")):
            yield event


def trace_lines(folder: Path, wanted: str) -> list[Line]:
    """All of them below ``folder``, rotated files too, in order of time."""
    found: list[Line] = []
    for path in sorted(folder.glob("*.log*")):
        opened = gzip.open if path.suffix == ".gz" else open
        # A file that is packed or taken away just now: what is left of it is read.
        with (
            contextlib.suppress(OSError, EOFError),
            opened(path, "rt", encoding="utf-8", errors="replace") as file,
        ):
            found += matching(file, wanted)
    return sorted(found, key=lambda line: str(line.get("timestamp", "")))


def conversation_of(engine: Engine, wanted: str) -> str:
    """The conversation of an order's number; any other text is an id already."""
    with reading(engine) as session:
        query = select(WorkOrder.conversation_id).where(WorkOrder.number == wanted)
        return session.scalar(query) or wanted


def follow(engine: Engine, folder: Path, wanted: str) -> list[Line]:
    """What was logged of an order's number, a conversation's or a trace's id.

    Raises :class:`TraceError` where nothing was.
    """
    lines = trace_lines(folder, conversation_of(engine, wanted))
    if not lines:
        raise TraceError(f"日志里没有找到 {wanted}")
    return lines


def as_text(line: Line) -> str:
    """One line for people: time, process, event, and its fields."""
    rest = {
        key: value
        for key, value in line.items()
        if key not in ("timestamp", "process", "event", "level", "conversation")
    }
    fields = " ".join(f"{key}={json.dumps(rest[key], ensure_ascii=False)}" for key in rest)
    head = f"{line.get('timestamp', '')} {line.get('process', ''):<8} {line.get('event', '')}"
    return f"{head} {fields}".rstrip()
