"""What the calls of one process share, and what they need of the conversation core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from config.city import City
from sealing.keys import Keyring
from telephony.line import Line
from tts.speaker import Speaker
from turns.heard import Heard
from turns.replies import Told


class Core(Protocol):
    """What a call needs of the conversation core."""

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime
    ) -> None:
        """Begin; the greeting comes by ``replies``."""

    async def hear(self, heard: Heard) -> None:
        """Commit a turn."""

    def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """What to say."""

    async def close(self, conversation: str, at: datetime) -> None:
        """The caller is gone."""

    async def connected(self, conversation: str, at: datetime) -> None:
        """A person has the caller."""

    async def note_timings(self, conversation: str, heard: str, timings: dict[str, float]) -> None:
        """What a turn cost."""

    async def begin_recording(
        self, recording: str, conversation: str, path: Path, at: datetime
    ) -> None:
        """A recording begins."""

    async def end_recording(self, recording: str, duration_ms: int) -> None:
        """A recording is complete."""


@dataclass(frozen=True, slots=True)
class CallParts:
    """What every call of this process shares.

    ``recordings`` None: nothing is recorded. ``keys`` seal what is.
    """

    line: Line
    core: Core
    speaker: Speaker
    city: City
    asr_url: str
    recordings: Path | None
    pool: ThreadPoolExecutor
    now: Callable[[], datetime]
    keys: Keyring | None = None
