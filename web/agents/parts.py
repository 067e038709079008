"""What the desks of a process are joined from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import Engine

from bot.bus import Watch
from config.city import City
from handoff.classify import Rules
from turns.calls import CallEvent, CallInfo, Verb
from turns.context import Context
from turns.replies import Reply, Speaker
from turns.understood import Finding


class Wakes(Protocol):
    """The bus: wakes whoever waits for a key."""

    def watch(self, conversation: str, watch: Watch | None = None) -> AbstractContextManager[Watch]:
        """Be woken for the key while inside."""

    def tell(self, conversation: str) -> None:
        """Wake all that wait for the key, in every process."""


class Control(Protocol):
    """The telephones, as ``telephony.commands.CallControl``; raises its ``ControlError``."""

    async def find(self, call: str) -> CallInfo:
        """A call under way."""

    async def command(
        self, call: str, verb: Verb, target: str = "", *, by: str, id_: str = "",
        timeout_s: float | None = None,
    ) -> CallEvent:  # fmt: skip
        """Order, and wait for what comes of it."""

    def events(self, after: str = "") -> AsyncIterator[tuple[str, CallEvent]]:
        """What becomes of calls, without end: its place, and the event."""

    def partials(self, call: str) -> AsyncIterator[tuple[str, str]]:
        """The words being said in a call, without end: speaker, text."""


class Lookup(Protocol):
    """What looks up published knowledge without side effects."""

    async def find(self, text: str, context: Context, at: datetime) -> Finding | None:
        """What is found for ``text``; None where nothing can be looked up now."""


class Talks(Protocol):
    """The conversation core, as far as a desk needs it; raises ``ConversationError``."""

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = ""
    ) -> None:
        """Say something to the citizen."""

    def typing(self, conversation: str, who: Literal["citizen", "agent"]) -> None:
        """``who`` writes now."""

    def typed(self, conversation: str, who: Literal["citizen", "agent"]) -> AsyncIterator[bool]:
        """Whether ``who`` writes, whenever that changes."""

    def standing_changed(self, conversation: str) -> None:
        """Their entry in the queue has changed."""

    async def person_done(self, conversation: str, at: datetime, *, given_back: bool) -> None:
        """The desk has finished with somebody who writes, or gave them back: they are told."""


@dataclass(frozen=True, slots=True)
class Joints:
    """What the desks are joined to beyond the database.

    ``control`` is None where no telephones are joined, ``lookup`` where nothing is suggested,
    ``rules`` (of classification) where orders do not fill themselves.
    """

    bus: Wakes
    control: Control | None = None
    lookup: Lookup | None = None
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class DeskParts:
    """``origins`` beside the page's own may connect; ``idle``: how long a session may rest.

    ``clock`` counts seconds, ``now`` is aware.
    """

    engine: Engine
    city: City
    conversations: Talks
    key: str
    now: Callable[[], datetime]
    joints: Joints
    origins: frozenset[str] = frozenset()
    idle: timedelta = timedelta(minutes=30)
    clock: Callable[[], float] = field(default=time.monotonic)

    @property
    def bus(self) -> Wakes:
        """What wakes."""
        return self.joints.bus

    @property
    def control(self) -> Control | None:
        """The telephones."""
        return self.joints.control
