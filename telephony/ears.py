"""What the caller says: voice, keys and silence become turns of the conversation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from structlog.contextvars import bound_contextvars

from asr.client import Slow
from bot.errors import ConversationError
from telephony.foreseeing import Foreseeing
from telephony.hearing import Back, Hearing, Lost
from telephony.interrupting import Interrupting, Step, meant
from telephony.keys import USED, Keys
from telephony.line import Frame, Leg
from telephony.mouth import Mouth
from telephony.parts import CallParts
from telephony.patience import Patience
from telephony.timing import TurnTimes
from turns.heard import AudioSpan, Heard, HeardKind
from turns.replies import Ask, Say
from turns.trace import trace_of
from turns.voice import Partial, SpeechStarted, TurnEnded

_log = structlog.get_logger(__name__)
_WATCH_S = 0.1
FLOOR_S = 4.0
"""So long an answer waits for a caller who speaks; a voice beside the telephone never stops."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A spoken turn that the caller may go on with; times in ms of the leg's clock."""

    id: str
    text: str
    confidence: float
    start_ms: int


class Ears:
    """One caller's side of a call.

    While ``deaf`` nothing is a turn for the dialogue: a person listens instead, or is being called.
    ``with_person``: what is said meanwhile is kept. ``patient``: who waits for a person need not
    say anything.
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
        self._hearing = Hearing(leg, parts.asr_url, conversation, clock)
        self._foreseeing = Foreseeing(self._prepare, self._hearing.complete)
        self._interrupting = Interrupting()
        self._heard_count = 0
        self._lost = False
        self._part: _Part | None = None
        self._continues = False
        self._last_keys = ""
        self._overtaken: set[str] = set()
        self._floor = asyncio.Event()
        self._floor.set()
        self.deaf = False
        self.with_person = False
        self.patient = False

    def on_audio(self, frame: Frame) -> None:
        """20 ms of the caller's sound."""
        self._hearing.on_audio(frame)

    def expect(self, reply: Say | Ask) -> None:
        """``reply`` is being told: what the dialogue expects next."""
        self._interrupting.saying = reply
        self._hearing.expect(reply)

    def told(self) -> None:
        """We have said all: it is the caller's turn."""
        saying = self._interrupting.saying
        wait_s = saying.wait_s if isinstance(saying, Say) else 0.0
        self._patience.told(self._clock(), wait_s)

    async def floor(self, turn: str) -> bool:
        """Wait while the caller speaks; False where they went on with ``turn``, or take it back.

        What answers ``turn`` is then not wanted any more: another answer will come.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLOOR_S):
                await self._floor.wait()
        return turn not in self._overtaken

    async def listen(self) -> None:
        """Turns from the recogniser; when it is lost the dialogue is told, which hands over."""
        async with contextlib.aclosing(self._hearing.events()) as events:
            async for event in events:
                await self._on_voice(event)

    def press(self, key: str) -> None:
        """The caller pressed ``key``; with a person, it is for them alone."""
        if self.deaf or key not in USED:
            return
        self._patience.caller_active(self._clock())
        self._mouth.drop()
        complete = self._keys.press(key, self._clock(), gather=self._hearing.expects == "digits")
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
            if self._somebody_speaks():
                self._patience.caller_active(now)
            due = self._keys.due(now)
            complete, self._pressed = [*self._pressed, *([due] if due else [])], []
            for keys in complete:
                self._overtaken.add(self._last_keys)  # the latest keys are what is wanted
                self._last_keys = await self._hear("keys", keys)
            if not self.patient and self._patience.silent(now):
                await self._hear("silence", "")
            if self._patience.unanswered(now):
                raise ConversationError("dialogue_silent", "the dialogue gives no answer")

    def _somebody_speaks(self) -> bool:
        """We do, or we fell silent for a voice that goes on: nobody is waited for."""
        return self._mouth.speaking or self._mouth.hushed or not self._floor.is_set()

    async def _prepare(self, text: str) -> bool:
        return await self._parts.core.prepare(self._id, text)

    async def _tell_loss(self) -> None:
        """The dialogue hears of a lost recogniser once, and not while people talk."""
        if self._lost and not self.deaf:
            self._lost = False
            await self._hear("event", "recogniser_failed")

    async def _on_voice(self, event: object) -> None:
        if isinstance(event, Lost | Back):
            await self._on_loss(lost=isinstance(event, Lost))
        elif self.deaf:
            await self._beside(event)
        elif isinstance(event, Slow):
            await self._on_slow()
        else:
            await self._on_speech(event)

    async def _on_speech(self, event: object) -> None:
        self._patience.caller_active(self._clock())
        match event:
            case SpeechStarted():
                self._begun(event)
            case Partial(text=text):
                active = self._mouth.speaking or self._mouth.hushed
                self._do(self._interrupting.words(text, speaking=active))
                self._look_ahead(text)
            case TurnEnded():
                self._foreseeing.stop()
                self._floor.set()
                self._do(self._interrupting.ended(event))
                if meant(event):
                    await self._hear_turn(event)

    def _begun(self, event: SpeechStarted) -> None:
        self._continues = event.continues
        self._floor.clear()
        speaking = self._mouth.speaking
        echo = speaking and self._hearing.is_echo()
        self._do(self._interrupting.voice(speaking=speaking, echo=echo))

    def _do(self, step: Step) -> None:
        match step:
            case "hush":
                self._mouth.hush()
            case "drop":
                self._mouth.drop()
            case "resume":
                self._mouth.resume()
            case "forget":
                self._hearing.forget()
                self._foreseeing.stop()
                self._floor.set()
                self._do(self._interrupting.forgotten())

    def _look_ahead(self, text: str) -> None:
        if self._hearing.expects == "open":
            before = self._part.text if self._continues and self._part else ""
            self._foreseeing.words(text, before)

    async def _on_loss(self, *, lost: bool) -> None:
        self._floor.set()
        self._foreseeing.stop()
        self._mouth.resume()
        untold, self._lost = self._lost, lost
        if lost:
            await self._tell_loss()
        elif untold and not self.deaf and self._hearing.is_loud():
            # Where the loss was told a person is being called: nothing need be said again.
            await self._hear("event", "recogniser_back")

    async def _on_slow(self) -> None:
        """The caller hears that we are slow, where they may be speaking to nobody."""
        if not self._mouth.speaking and (self._hearing.is_loud() or not self._floor.is_set()):
            _log.warning("recogniser_slow")
            await self._hear("event", "recogniser_slow")

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
        offset = self._hearing.offset_ms
        ended = self._leg.clock_ms - (turn.end_ms + offset) - turn.words_ms
        before = self._part if turn.continues and turn.text and not self.deaf else None
        start_ms = turn.start_ms + offset if before is None else before.start_ms
        text, confidence = _joined(before, turn)
        if before is not None:
            self._overtaken.add(before.id)
        span = AudioSpan(self._id, start_ms, turn.end_ms + offset)
        heard = await self._hear(
            "speech", text, confidence, span, continues=before.id if before else ""
        )
        self._part = _Part(heard, text, confidence, start_ms)
        await self._parts.core.note_timings(
            self._id, heard, {"endpoint_ms": round(ended, 1), "words_ms": round(turn.words_ms, 1)}
        )

    async def _hear(
        self,
        kind: HeardKind,
        text: str,
        confidence: float = 1.0,
        audio: AudioSpan | None = None,
        continues: str = "",
    ) -> str:
        self._heard_count += 1
        self._part = None
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
            continues=continues,
        )
        self._patience.heard(self._clock())
        if audio is not None:
            self._times.heard(heard.id, audio.end_ms)
        with bound_contextvars(trace=trace_of(self._id, heard.id)):
            _log.info("turn_heard", kind=kind)
            await self._parts.core.hear(heard)
        return heard.id


def _joined(before: _Part | None, turn: TurnEnded) -> tuple[str, float]:
    """The words of both parts, and their confidence by their lengths."""
    if before is None or not before.text:
        return turn.text, turn.confidence
    text = before.text + turn.text
    weight = len(before.text) / len(text)
    return text, round(before.confidence * weight + turn.confidence * (1 - weight), 3)
