"""What people say to a citizen on the telephone, as the front door hears it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from turns.heard import AudioSpan


@dataclass(frozen=True, slots=True)
class Overheard:
    """A turn of a person whom the caller is connected with.

    ``id`` makes repeats harmless; ``confidence`` is the recogniser's; ``audio`` its place in the
    call's recording.
    """

    id: str
    conversation: str
    text: str
    at: datetime
    confidence: float = 1.0
    audio: AudioSpan | None = None
