"""What the caller says: voice, keys and silence become turns of the conversation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from structlog.contextvars import bound_contextvars

from asr.client import AsrError, Listener
from bot.errors import ConversationError
from telephony.keys import Keys
from telephony.line import Frame, Leg
from telephony.mouth import Mouth
from telephony.parts import CallParts
from telephony.patience import Patience
from telephony.timing import TurnTimes
from turns.heard import AudioSpan, Heard, HeardKind
from turns.replies import Expects
from turns.trace import trace_of
from turns.voice import Partial, TurnEnded

_log = structlog.get_logger(__name__)
_WATCH_S = 0.1
_NOISE_MS = 1500  # voice without words: shorter is a cough, longer was something not understood


def _meant(turn: TurnEnded) -> bool:
    """Whether somebody wanted to say something: words, or more voice than a cough."""
    return bool(turn.text) or turn.end_ms - turn.start_ms >= _NOISE_MS


class Ears:
    """One caller's side of a call.

    While ``deaf`` nothing is a turn for the dialogue: a person listens instead, or is being called.
    ``with_person``: what is said meanwhile is kept.
    """

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        conversation: str,
        line: str,
        mouth: Mouth,
        times: TurnTimes,
        clock: Callable[[], float],
    ) -> None:
        """``conversation`` and ``line``: ids that its turns carry; ``clock`` counts seconds."""
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._line = line
        self._mouth = mouth
        self._times = times
        self._clock = clock
        self._patience = Patience(clock())
        self._keys = Keys()
        self._pressed: list[str] = []
        self._listener: Listener | None = None
        self._stream_from_ms: int | None = None
        self._expects: Expects = "open"
        self._heard_count = 0
        self._lost = False
        self.deaf = False
        self.with_person = False

    def on_audio(self, frame: Frame) -> None:
        """20 ms of the caller's sound."""
        if self._listener is not None:
            if self._stream_from_ms is None:
                self._stream_from_ms = frame.at_ms
            self._listener.feed(frame.pcm)

    def expect(self, expects: Expects) -> None:
        """What the dialogue expects next."""
        self._expects = expects
        if self._listener is not None:
            self._listener.expect(expects)

    def told(self) -> None:
        """We have said all: it is the caller's turn."""
        self._patience.told(self._clock())

    async def listen(self) -> None:
        """Turns from the recogniser; when it is lost the dialogue is told, which hands over."""
        try:
            async with Listener.connect(self._parts.asr_url, self._id) as listener:
                self._listener, self._stream_from_ms = listener, None
                async for event in listener.events():
                    await self._on_voice(event)
        except AsrError as error:
            self._listener = None
            _log.warning("recogniser_failed", code=error.code)
            self._lost = True
            await self._tell_loss()

    def press(self, key: str) -> None:
        """The caller pressed ``key``; with a person, it is for them alone."""
        if self.deaf:
            return
        self._patience.caller_active(self._clock())
        self._mouth.interrupt()
        complete = self._keys.press(key, self._clock(), gather=self._expects == "digits")
        if complete:
            self._pressed.append(complete)

    async def watch(self) -> None:
        """Keys that are complete, a caller who says nothing, a dialogue that says nothing.

        Raises :class:`ConversationError` ``dialogue_silent``.
        """
        while True:
            await asyncio.sleep(_WATCH_S)
            if self.deaf:
                continue
            await self._tell_loss()
            now = self._clock()
            if self._mouth.speaking:
                self._patience.caller_active(now)
            due = self._keys.due(now)
            complete, self._pressed = [*self._pressed, *([due] if due else [])], []
            for keys in complete:
                await self._hear("keys", keys)
            if self._patience.silent(now):
                await self._hear("silence", "")
            if self._patience.unanswered(now):
                raise ConversationError("dialogue_silent", "the dialogue gives no answer")

    async def _tell_loss(self) -> None:
        """The dialogue hears of a lost recogniser once, and not while people talk."""
        if self._lost and not self.deaf:
            self._lost = False
            await self._hear("event", "recogniser_failed")

    async def _on_voice(self, event: object) -> None:
        if self.deaf:
            await self._beside(event)
            return
        self._patience.caller_active(self._clock())
        if isinstance(event, Partial) and event.text:
            self._mouth.interrupt()
        elif isinstance(event, TurnEnded) and _meant(event):
            await self._hear_turn(event)

    async def _beside(self, event: object) -> None:
        """What the caller says to a person. No failure to keep it ends their talk."""
        if not self.with_person:
            return
        if isinstance(event, Partial) and event.text:
            self._parts.office.partial(self._id, "citizen", event.text)
        elif isinstance(event, TurnEnded) and event.text:
            with contextlib.suppress(ConversationError):  # logged where it was raised
                await self._hear_turn(event)

    async def _hear_turn(self, turn: TurnEnded) -> None:
        offset = self._stream_from_ms or 0
        ended = self._leg.clock_ms - (turn.end_ms + offset) - turn.words_ms
        span = AudioSpan(self._id, turn.start_ms + offset, turn.end_ms + offset)
        heard = await self._hear("speech", turn.text, turn.confidence, span)
        await self._parts.core.note_timings(
            self._id, heard, {"endpoint_ms": round(ended, 1), "words_ms": round(turn.words_ms, 1)}
        )

    async def _hear(
        self, kind: HeardKind, text: str, confidence: float = 1.0, audio: AudioSpan | None = None
    ) -> str:
        self._heard_count += 1
        heard = Heard(
            id=f"{self._id}.{self._heard_count}",
            conversation=self._id,
            channel="phone",
            line=self._line,
            kind=kind,
            text=text,
            at=self._parts.now(),
            confidence=confidence,
            audio=audio,
        )
        self._patience.heard(self._clock())
        if audio is not None:
            self._times.heard(heard.id, audio.end_ms)
        with bound_contextvars(trace=trace_of(self._id, heard.id)):
            _log.info("turn_heard", kind=kind)
            await self._parts.core.hear(heard)
        return heard.id
