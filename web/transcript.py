"""A conversation as staff read it: what was said, by whom, when, and where in the recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.tables import Turn
from web.labels import LOW_CONFIDENCE
from web.sent import Beside, SentView, counted

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
    attachments: tuple[SentView, ...] = ()

    @property
    def is_note(self) -> bool:
        """Nothing said, but something done: shown between the bubbles."""
        return self.kind in _PLACEHOLDERS

    @property
    def doubtful(self) -> bool:
        """The recogniser was not sure."""
        return self.speaker == "citizen" and self.confidence < LOW_CONFIDENCE


def views(
    rows: Iterable[Turn], beside: Beside, labels: dict[str, str] | None = None
) -> tuple[TurnView, ...]:
    """The turns in order, with what came ``beside``; a choice is shown by the label that was seen.

    ``labels`` remembers what options are called from one call to the next.
    """
    labels = {} if labels is None else labels
    return tuple(_view(row, beside, labels) for row in rows)


def _view(row: Turn, beside: Beside, labels: dict[str, str]) -> TurnView:
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
        attachments=beside.of(row),
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


@dataclass(frozen=True, slots=True)
class SentIn:
    """All that a citizen sent in a talk: the turn (``seq``) each came with, and how many of each.

    False where there is nothing.
    """

    each: tuple[tuple[int, SentView], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was sent."""
        return bool(self.each)

    @property
    def words(self) -> str:
        """How many of each."""
        return counted(one for _, one in self.each)

    @property
    def numbered(self) -> tuple[tuple[int, SentView, int], ...]:
        """``each`` with its number among those that are called alike, from 1."""
        met: Counter[str] = Counter()
        numbered = []
        for seq, one in self.each:
            met[one.name] += 1
            numbered.append((seq, one, met[one.name]))
        return tuple(numbered)


def sent_in(turns: Iterable[TurnView]) -> SentIn:
    """What was sent along with ``turns``."""
    return SentIn(tuple((turn.seq, one) for turn in turns for one in turn.attachments))
