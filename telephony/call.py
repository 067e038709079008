"""One call as the caller lives it: greeted, listened to, answered, connected, hung up.

Whatever fails, the caller gets a sentence and a person: the line's hunt group.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from asr.client import AsrError, Listener
from bot.errors import ConversationError
from config.city import City
from sealing.keys import Keyring
from telephony import metrics
from telephony.keys import Keys
from telephony.line import DialError, Digit, Ended, Frame, Leg, Line, LineError
from telephony.mouth import Mouth
from telephony.patience import Patience
from telephony.recording import Recorder
from telephony.timing import TurnTimes
from tts.speaker import Speaker
from turns.heard import AudioSpan, Heard, HeardKind
from turns.ids import conversation_of_call
from turns.replies import Ask, Bye, Connect, Expects, Say, Told
from turns.trace import trace_of
from turns.voice import Partial, TurnEnded

_log = structlog.get_logger(__name__)
_WATCH_S = 0.1
_NOISE_MS = 1500  # voice without words: shorter is a cough, longer was something not understood


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


def _meant(turn: TurnEnded) -> bool:
    """Whether somebody wanted to say something: words, or more voice than a cough."""
    return bool(turn.text) or turn.end_ms - turn.start_ms >= _NOISE_MS


class Call:
    """One inbound call, from its INVITE to its end."""

    def __init__(self, leg: Leg, parts: CallParts) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation_of_call(leg.id)
        self._dialled = parts.city.line(leg.diverted_from or leg.dialled)
        self._clock = asyncio.get_running_loop().time
        self._mouth = Mouth(leg, parts.speaker)
        self._patience = Patience(self._clock())
        self._keys = Keys()
        self._pressed: list[str] = []
        self._listener: Listener | None = None
        self._stream_from_ms: int | None = None
        self._expects: Expects = "open"
        self._heard_count = 0
        self._times = TurnTimes()
        self._connecting = False
        self._recorder: Recorder | None = None

    async def run(self) -> None:
        """Serve the call until it is over."""
        structlog.contextvars.bind_contextvars(conversation=self._id)
        await self._leg.answer()
        metrics.answered.inc()
        began = self._clock()
        self._leg.on_audio(self._on_audio)
        if self._parts.recordings:
            self._recorder = Recorder(
                self._leg, self._recording_path(), self._parts.pool, self._parts.keys
            )
        serving = asyncio.create_task(self._serve())
        try:
            async for event in self._leg.events():
                if isinstance(event, Digit):
                    self._press(event.key)
                elif isinstance(event, Ended):
                    lasted = self._clock() - began
                    metrics.call_over(event, lasted)
                    _log.info("call_ended", cause=event.cause, seconds=round(lasted, 1))
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await self._finish()

    async def _serve(self) -> None:
        try:
            await self._talk()
        except* (ConversationError, LineError) as failures:
            codes = [getattr(error, "code", "") for error in failures.exceptions]
            _log.error("call_failed", code=codes[0])
            await self._rescue()
        except* Exception as failures:  # noqa: BLE001  # the last resort: no caller is left in silence
            _log.error("call_broken", kinds=[type(e).__name__ for e in failures.exceptions])
            await self._rescue()

    async def _talk(self) -> None:
        await self._parts.core.open(
            self._id, channel="phone", line=self._dialled.number,
            citizen=self._leg.caller, at=self._parts.now(),
        )  # fmt: skip
        if self._parts.recordings:
            await self._parts.core.begin_recording(
                self._id, self._id, self._recording_path(), self._parts.now()
            )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tell())
            group.create_task(self._watch())

    # What the caller says

    def _on_audio(self, frame: Frame) -> None:
        if self._listener is not None:
            if self._stream_from_ms is None:
                self._stream_from_ms = frame.at_ms
            self._listener.feed(frame.pcm)

    async def _listen(self) -> None:
        """Turns from the recogniser; when it is lost the dialogue is told, which hands over."""
        try:
            async with Listener.connect(self._parts.asr_url, self._id) as listener:
                self._listener, self._stream_from_ms = listener, None
                async for event in listener.events():
                    await self._on_voice(event)
        except AsrError as error:
            self._listener = None
            _log.warning("recogniser_failed", code=error.code)
            if not self._connecting:
                await self._hear("event", "recogniser_failed")

    async def _on_voice(self, event: object) -> None:
        if self._connecting:
            return
        self._patience.caller_active(self._clock())
        if isinstance(event, Partial) and event.text:
            self._mouth.interrupt()
        elif isinstance(event, TurnEnded) and _meant(event):
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
            line=self._dialled.number,
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

    def _press(self, key: str) -> None:
        self._patience.caller_active(self._clock())
        self._mouth.interrupt()
        complete = self._keys.press(key, self._clock(), gather=self._expects == "digits")
        if complete:
            self._pressed.append(complete)

    async def _watch(self) -> None:
        """Keys that are complete, a caller who says nothing, a dialogue that says nothing."""
        while not self._connecting:
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
            await asyncio.sleep(_WATCH_S)

    # What the caller hears

    async def _tell(self) -> None:
        interrupted = ""
        async for told in self._parts.core.replies(self._id):
            reply = told.reply
            if isinstance(reply, Say | Ask):
                if interrupted and interrupted == told.in_reply_to and reply.interruptible:
                    continue
                played = await self._say(told, reply)
                interrupted = "" if played else told.in_reply_to
            elif isinstance(reply, Connect):
                await self._connect(reply.target)
            elif isinstance(reply, Bye):
                await self._leg.hang_up()
            if told.last:
                self._patience.told(self._clock())

    async def _say(self, told: Told, reply: Say | Ask) -> bool:
        """Speak; whether it was heard to the end."""
        self._expect(reply.expects if isinstance(reply, Ask) else "open")
        began = self._leg.clock_ms
        played = await self._mouth.speak(reply)
        timings = self._times.told(told.in_reply_to, began, self._mouth.first_sound_ms)
        if timings:
            with bound_contextvars(trace=trace_of(self._id, told.in_reply_to)):
                _log.info("turn_told", timings=timings)
                await self._parts.core.note_timings(self._id, told.in_reply_to, timings)
        return played.complete

    def _expect(self, expects: Expects) -> None:
        self._expects = expects
        if self._listener is not None:
            self._listener.expect(expects)

    async def _connect(self, target: str) -> None:
        """Join the caller with ``target``; hang up when either ends, or nobody answers."""
        self._connecting = True
        try:
            other = await self._parts.line.dial(target, caller=self._leg.caller)
        except DialError as error:
            metrics.bridges.labels(error.code).inc()
            _log.warning("hunt_group_failed", code=error.code, status=error.status)
            await self._speak_prompt("nobody_answers")
        else:
            await self._hold_together(other)
        await self._leg.hang_up()

    async def _hold_together(self, other: Leg) -> None:
        metrics.bridges.labels("connected").inc()
        _log.info("call_bridged")
        try:
            self._parts.line.join(self._leg, other)
            with contextlib.suppress(ConversationError):  # logged where it was raised
                await self._parts.core.connected(self._id, self._parts.now())
            async for event in other.events():
                if isinstance(event, Ended):
                    _log.info("bridge_ended", cause=event.cause)
        finally:
            await other.hang_up()

    async def _rescue(self) -> None:
        """Nothing behind us works: a sentence that was rendered before, and a person."""
        if self._leg.ended is None and not self._connecting:
            await self._speak_prompt("apology_call")
            with contextlib.suppress(LineError):
                await self._connect(self._dialled.hunt_group)

    async def _speak_prompt(self, name: str) -> None:
        text = self._parts.city.prompts.fill(name)
        await self._mouth.speak(Say(name, text, interruptible=False))

    # The end

    def _recording_path(self) -> Path:
        day = self._parts.now().astimezone(self._parts.city.zone)
        name = hashlib.sha256(self._id.encode()).hexdigest()[:32]
        return (self._parts.recordings or Path()) / f"{day:%Y/%m/%d}" / f"{name}.wav"

    async def _finish(self) -> None:
        if self._recorder is not None:
            await self._recorder.close()
        with contextlib.suppress(ConversationError):  # logged where it was raised
            if self._recorder is not None:
                await self._parts.core.end_recording(self._id, self._recorder.duration_ms)
            await self._parts.core.close(self._id, self._parts.now())
