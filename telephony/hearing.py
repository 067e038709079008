"""A call's recogniser: sound out, voice events back, found again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import structlog

from asr.client import AsrError, Listener, Slow
from telephony.echo import Echo
from telephony.line import Frame, Leg
from telephony.narrowing import phrases
from telephony.rtp.g711 import loudness
from turns.replies import Ask, Expects, Say
from turns.voice import VoiceEvent

_log = structlog.get_logger(__name__)
RETRY_S = 1.0
_LOUD_RMS = 500
_LOUD_FRAMES = 10
_LOUD_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no recogniser: what the caller says is not understood. Told once for each loss."""


@dataclass(frozen=True, slots=True)
class Back:
    """There is one again; what was said meanwhile is lost."""


Event = VoiceEvent | Slow | Lost | Back


class Hearing:
    """One call's stream to the recogniser process, for as long as the call lasts."""

    def __init__(self, leg: Leg, url: str, conversation: str, clock: Callable[[], float]) -> None:
        self._leg = leg
        self._url = url
        self._id = conversation
        self._clock = clock
        self._echo = Echo()
        self._listener: Listener | None = None
        self._from_ms: int | None = None
        self._expected: Say | Ask | None = None
        self._loud_frames = 0
        self._loud_at = float("-inf")

    @property
    def offset_ms(self) -> int:
        """Where the recogniser's stream began, on the leg's clock."""
        return self._from_ms or 0

    @property
    def expects(self) -> Expects:
        """What the dialogue expects."""
        return self._expected.expects if isinstance(self._expected, Ask) else "open"

    def on_audio(self, frame: Frame) -> None:
        """20 ms of the caller's sound."""
        self._echo.came(frame)
        self._loud_frames = self._loud_frames + 1 if loudness(frame.pcm) > _LOUD_RMS else 0
        if self._loud_frames >= _LOUD_FRAMES:
            self._loud_at = self._clock()
        if self._listener is not None:
            if self._from_ms is None:
                self._from_ms = frame.at_ms
            self._listener.feed(frame.pcm)

    def is_echo(self) -> bool:
        """Whether what comes in just now is our own sound."""
        return self._echo.is_echo()

    def is_loud(self) -> bool:
        """Whether somebody may have spoken lately, recognised or not."""
        return self._clock() - self._loud_at <= _LOUD_WITHIN_S

    def expect(self, reply: Say | Ask) -> None:
        """``reply`` is being told: listen for what answers it."""
        self._expected = reply
        if self._listener is not None:
            self._listener.expect(self.expects, phrases(reply))

    def complete(self, text: str) -> None:
        """The dialogue knows its answer to the turn's words, if they stay ``text``."""
        if self._listener is not None:
            self._listener.complete(text)

    def forget(self) -> None:
        """The turn in progress was not the caller."""
        if self._listener is not None:
            self._listener.reset()

    async def events(self) -> AsyncGenerator[Event, None]:
        """What is heard, until the call is over."""
        self._leg.on_sent(self._echo.sent)
        lost = False
        while True:
            try:
                async with Listener.connect(self._url, self._id) as listener:
                    self._listener, self._from_ms = listener, None
                    if self._expected is not None:
                        self.expect(self._expected)
                    if lost:
                        lost = False
                        _log.info("recogniser_back")
                        yield Back()
                    async for event in listener.events():
                        yield event
            except AsrError as error:
                self._listener = None
                if not lost:
                    lost = True
                    _log.warning("recogniser_failed", code=error.code)
                    yield Lost()
            await asyncio.sleep(RETRY_S)
