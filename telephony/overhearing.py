"""What the people say whom a caller is connected with: recognised as it is said, and kept."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from asr.client import AsrError, Listener
from bot.errors import ConversationError
from telephony.line import Frame, Leg
from telephony.parts import CallParts
from turns.heard import AudioSpan
from turns.overheard import Overheard
from turns.voice import Partial, TurnEnded

_log = structlog.get_logger(__name__)


class Overhearing:
    """Listens to one person's leg.

    ``caller`` is the leg that is recorded: on its clock lie the places of what is said. ``numbers``
    makes the ids of the turns, alone in the conversation.
    """

    def __init__(
        self, leg: Leg, caller: Leg, parts: CallParts, conversation: str, numbers: Iterator[int]
    ) -> None:
        self._caller = caller
        self._parts = parts
        self._id = conversation
        self._numbers = numbers
        self._listener: Listener | None = None
        self._from_ms: int | None = None
        leg.on_audio(self._on_audio)

    async def listen(self) -> None:
        """Until it is cancelled. A recogniser that fails ends it: people need none to talk."""
        try:
            async with Listener.connect(self._parts.asr_url, self._id) as listener:
                self._listener, self._from_ms = listener, None
                async for event in listener.events():
                    if isinstance(event, Partial) and event.text:
                        self._parts.office.partial(self._id, "agent", event.text)
                    elif isinstance(event, TurnEnded) and event.text:
                        await self._keep(event)
        except AsrError as error:
            _log.warning("overhearing_failed", code=error.code)
        finally:
            self._listener = None

    def _on_audio(self, frame: Frame) -> None:
        if self._listener is not None:
            if self._from_ms is None:
                self._from_ms = self._caller.clock_ms
            self._listener.feed(frame.pcm)

    async def _keep(self, turn: TurnEnded) -> None:
        offset = self._from_ms or 0
        words = Overheard(
            id=f"{self._id}.agent.{next(self._numbers)}",
            conversation=self._id,
            text=turn.text,
            at=self._parts.now(),
            confidence=turn.confidence,
            audio=AudioSpan(self._id, turn.start_ms + offset, turn.end_ms + offset),
        )
        try:
            await self._parts.core.overhear(words)
        except ConversationError as error:
            _log.warning("overheard_not_kept", code=error.code)
