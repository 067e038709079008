"""The telephones as a desk commands them: what was ordered, and events that a test lets happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telephony.commands import ControlError
from turns.calls import CallEvent, CallInfo, CallState, Leg, Verb

_AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
_DONE: dict[str, CallState] = {
    "bridge": "bridged", "three_way": "joined", "transfer": "bridged", "hold": "held",
    "resume": "resumed", "mute": "muted", "unmute": "unmuted", "whisper": "whispered",
    "hangup": "ended",
}  # fmt: skip


@dataclass
class FakeControl:
    """Fulfils ``web.agents.parts.Control``; ``fails`` maps a verb's target, or a verb, to the code
    it fails with.
    """

    ordered: list[tuple[str, str, str, str]] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    ringing: asyncio.Event | None = None
    """Set it to let a bridge be answered; None: it is answered at once."""
    lost: bool = False
    """Redis is away."""
    _told: list[CallEvent] = field(default_factory=list)
    _words: list[tuple[str, str]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, call: str) -> CallInfo:
        """Every call is under way."""
        self._must_be_there()
        return CallInfo(call, "node", "139****5678", "12345", "12345", "ringing", _AT, _AT)

    async def command(
        self, call: str, verb: Verb, target: str = "", *, by: str, id_: str = "",
        timeout_s: float | None = None,  # whoever orders says how long it may take
    ) -> CallEvent:  # fmt: skip
        """Carried out, or failed as the test says."""
        self.ordered.append((call, verb, target, by))
        if verb == "bridge" and self.ringing is not None:
            await self.ringing.wait()
        code = self.fails.get(target) or self.fails.get(verb)
        if code:
            raise ControlError(code)
        leg: Leg = "caller" if verb in ("hold", "resume") else "target"
        event = CallEvent(call, _DONE[verb], leg, _AT, command=id_, target=target, done=True)
        self.happen(event)
        return event

    def happen(self, *events: CallEvent) -> None:
        """Tell everybody who listens."""
        self._told.extend(events)
        self.wake()

    def speak(self, speaker: str, text: str) -> None:
        """Words on their way, for whoever listens from now on."""
        self._words.append((speaker, text))
        self.wake()

    async def events(self, after: str = "") -> AsyncIterator[tuple[str, CallEvent]]:
        """All events, without end."""
        at = int(after or 0)
        while True:
            while at < len(self._told):
                at += 1
                yield str(at), self._told[at - 1]
            self._must_be_there()
            await self._news.wait()

    async def partials(self, call: str) -> AsyncIterator[tuple[str, str]]:  # one call a test
        """All words, without end."""
        at = 0
        while True:
            while at < len(self._words):
                at += 1
                yield self._words[at - 1]
            await self._news.wait()

    def _must_be_there(self) -> None:
        if self.lost:
            raise ControlError("redis_lost")

    def wake(self) -> None:
        """Whoever listens looks again."""
        self._news.set()
        self._news = asyncio.Event()
