"""What the recogniser tells the phone, and the phone the dialogue, while somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word; times in ms of the stream, confidence 0 to 1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak at ``at_ms`` of the stream.

    ``continues``: the caller goes on with a turn that was taken for ended.
    """

    at_ms: int
    continues: bool = False
    type: Literal["speech_started"] = "speech_started"


@dataclass(frozen=True, slots=True)
class Partial:
    """The words so far."""

    text: str
    at_ms: int
    type: Literal["partial"] = "partial"


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Voice activity ended at ``at_ms``; the turn may go on."""

    at_ms: int
    type: Literal["speech_stopped"] = "speech_stopped"


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller's turn is over: its words, its mean confidence, its place in the stream (ms).

    ``decided_ms`` is where in the stream the end was decided; ``words_ms`` what the final words
    cost the recogniser after that (ms of processing time). ``continues``: it goes on with the turn
    before, which had been cut off; ``text`` holds only what was said since.
    """

    text: str
    confidence: float
    start_ms: int
    end_ms: int
    decided_ms: int
    words_ms: float = 0.0
    words: tuple[Word, ...] = ()
    continues: bool = False
    type: Literal["turn_ended"] = "turn_ended"


@dataclass(frozen=True, slots=True)
class Played:
    """How much of a reply's sound the caller heard (ms), and whether that was all of it.

    ``share``: how much of its words that was, 0 to 1.
    """

    reply: str
    heard_ms: int
    complete: bool
    share: float = 1.0
    type: Literal["played"] = "played"


VoiceEvent = SpeechStarted | Partial | SpeechStopped | TurnEnded | Played
