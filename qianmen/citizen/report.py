"""What a simulated citizen brings home: who said what, and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Who = Literal["citizen", "bot", "agent", "system"]


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """One thing said; ``at`` is ISO 8601, ``text`` '' where only sound was heard."""

    who: Who
    text: str
    at: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call.

    ``turns`` come from the front door's own record where it has one (``recorded``), else they are
    what the citizen said and when something was heard. ``conversation`` is the record's id, or
    the SIP Call-ID. ``connected``: a person was put through and heard. ``order``: the number of
    the work order, if one was written. ``heard_wav``: stereo, left the citizen, right what was
    heard. ``ended_by``: who hung up.
    """

    turns: tuple[SaidTurn, ...]
    conversation: str
    connected: bool = False
    recorded: bool = False
    order: str = ""
    heard_wav: Path | None = None
    ended_by: Literal["citizen", "other"] = "citizen"

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        wav = str(self.heard_wav) if self.heard_wav else None
        return {**asdict(self), "turns": [asdict(turn) for turn in self.turns], "heard_wav": wav}


@dataclass(frozen=True, slots=True)
class ChatReport:
    """One chat; ``order`` is the work order's number, '' if none was written."""

    turns: tuple[SaidTurn, ...]
    conversation: str
    handed_over: bool = False
    order: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**asdict(self), "turns": [asdict(turn) for turn in self.turns]}
