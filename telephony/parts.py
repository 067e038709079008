"""What the calls of one process share, and what they need of the conversation core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.people import AfterPerson
from config.city import City
from sealing.keys import Keyring
from telephony.line import Line
from tts.speaker import Speaker
from turns.calls import CallCommand, CallEvent, CallInfo
from turns.heard import Heard
from turns.orders import OrderBrief
from turns.overheard import Overheard
from turns.replies import Speaker as Speaks
from turns.replies import Told
from turns.standing import Standing


class Core(Protocol):
    """What a call needs of the conversation core."""

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime
    ) -> None:
        """Begin; the greeting comes by ``replies``."""

    async def hear(self, heard: Heard) -> None:
        """Commit a turn."""

    async def prepare(self, conversation: str, text: str) -> bool:
        """Whether words that may not be all can be answered as they stand; no side effects."""

    def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """What to say."""

    async def close(self, conversation: str, at: datetime) -> None:
        """The caller is gone."""

    async def connected(self, conversation: str, at: datetime) -> None:
        """A person has the caller."""

    async def not_connected(self, conversation: str, at: datetime, cause: str) -> None:
        """Nobody could be reached."""

    async def parted(self, conversation: str) -> None:
        """The person is gone, the caller is not."""

    async def person_left(self, conversation: str, at: datetime) -> AfterPerson:
        """The person is gone, the caller is not: what becomes of them."""

    async def ask_survey(self, conversation: str, at: datetime) -> bool:
        """Ask what they thought of the person; whether they were asked."""

    async def keep(self, conversation: str, at: datetime) -> bool:
        """Keep what was said on disk while the database is away; whether it is kept."""

    async def overhear(self, words: Overheard) -> None:
        """What a person said."""

    def standings(self, conversation: str) -> AsyncIterator[Standing | None]:
        """Where the caller stands in the queue, now and whenever that may have changed."""

    async def inform(self, conversation: str, text: str, at: datetime) -> None:
        """Tell the caller something that nobody asked for."""

    async def order_brief(self, conversation: str) -> OrderBrief | None:
        """The order in few words."""

    async def note_timings(self, conversation: str, heard: str, timings: dict[str, float]) -> None:
        """What a turn cost."""

    async def begin_recording(
        self, recording: str, conversation: str, path: Path, at: datetime
    ) -> None:
        """A recording begins."""

    async def end_recording(self, recording: str, duration_ms: int) -> None:
        """A recording is complete."""


class Office(Protocol):
    """Who watches the calls from outside and commands them. Nothing here waits or raises."""

    def opened(self, info: CallInfo, take: Callable[[CallCommand], None]) -> None:
        """A call began; ``take`` is given the commands for it."""

    def changed(self, info: CallInfo) -> None:
        """Another state, other parties."""

    def closed(self, call: str) -> None:
        """It is over."""

    def told(self, event: CallEvent) -> None:
        """What became of a command, or happened by itself."""

    def partial(self, call: str, speaker: Speaks, text: str) -> None:
        """Words being said while people talk, before their turn is over."""


class EmptyOffice:
    """Nobody watches."""

    def opened(self, info: CallInfo, take: Callable[[CallCommand], None]) -> None:
        """Nobody is told."""

    def changed(self, info: CallInfo) -> None:
        """Nobody is told."""

    def closed(self, call: str) -> None:
        """Nobody is told."""

    def told(self, event: CallEvent) -> None:
        """Nobody is told."""

    def partial(self, call: str, speaker: Speaks, text: str) -> None:
        """Nobody is told."""


@dataclass(frozen=True, slots=True)
class CallParts:
    """What every call of this process shares.

    ``recordings`` None: nothing is recorded. ``keys`` seal what is. ``node`` names this process
    among those that hold calls.
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
    office: Office = field(default_factory=EmptyOffice)
    node: str = ""
