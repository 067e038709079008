"""A conversation as staff read it: what was said, by whom, when, and where in the recording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.tables import Turn
from web.labels import LOW_CONFIDENCE

_PLACEHOLDERS = {"silence": "（没有说话）", "ended": "（结束了对话）", "bye": "（结束对话）",
                 "connect": "（接通人工坐席）", "handoff": "（转人工）"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn. ``anchor`` is what provenance points at (``Heard.id``, '' for what was told)."""

    seq: int
    anchor: str
    speaker: str
    kind: str
    text: str
    at: datetime
    confidence: float
    options: tuple[str, ...]
    recording: str
    start_ms: int | None
    end_ms: int | None
    attachments: tuple[dict[str, Any], ...] = ()

    @property
    def is_note(self) -> bool:
        """Nothing said, but something done: shown between the bubbles."""
        return self.kind in _PLACEHOLDERS

    @property
    def doubtful(self) -> bool:
        """The recogniser was not sure."""
        return self.speaker == "citizen" and self.confidence < LOW_CONFIDENCE


def views(rows: Iterable[Turn], labels: dict[str, str] | None = None) -> tuple[TurnView, ...]:
    """The turns in order; a choice is shown by the label the citizen saw.

    ``labels`` remembers what options are called from one call to the next.
    """
    labels = {} if labels is None else labels
    return tuple(_view(row, labels) for row in rows)


def _view(row: Turn, labels: dict[str, str]) -> TurnView:
    options = _options(row.reply)
    labels.update(options)
    return TurnView(
        seq=row.seq,
        anchor=row.heard or "",
        speaker=row.speaker,
        kind=row.kind,
        text=_text(row, labels),
        at=row.at,
        confidence=row.confidence,
        options=tuple(options.values()),
        recording=row.recording,
        start_ms=row.audio_start_ms,
        end_ms=row.audio_end_ms,
        attachments=tuple(item for item in row.attachments or () if isinstance(item, dict)),
    )


def _text(row: Turn, labels: dict[str, str]) -> str:
    if row.kind == "choice":
        return labels.get(row.text, row.text)
    if row.kind == "keys":
        return f"按键 {row.text}"
    if row.kind == "handoff" and row.reply.get("number"):
        return f"（转人工，工单 {row.reply['number']}）"
    return row.text or _PLACEHOLDERS.get(row.kind, "")


def _options(reply: dict[str, Any]) -> dict[str, str]:
    return {
        str(option.get("value", "")): str(option.get("label", ""))
        for option in reply.get("options", ())
        if isinstance(option, dict)
    }
