"""One caller's listening: voice activity, words and end of turn joined into voice events.

A turn is opened by voice alone: words a recogniser finds in noise open none, and what it found
before the voice began is left out. A turn may end without words: a cough, or speech too faint.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from asr import metrics
from asr.activity import WINDOW_S, Activity
from asr.endpoint import Ended, Endpoint, Signal, Started, Stopped
from asr.near import NearWords, bytes_ms
from asr.recogniser import SAMPLE_RATE, RecogniserStream, Words
from turns.replies import Expects
from turns.voice import Partial, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent, Word

STEP_BYTES = 2 * SAMPLE_RATE // 10
"""100 ms: longer messages are heard in such steps, so that an end inside them is found."""
BEFORE_ONSET_MS = 300
"""Words that end earlier than this before the voice's onset are not of the turn."""


class Session:
    """Hears one stream of 8 kHz s16le audio and tells what happens in it.

    ``activity`` works in the loop's own thread: a window takes it 0.15 ms, and the way to another
    thread and back would cost as much again.
    """

    def __init__(self, stream: RecogniserStream, activity: Activity) -> None:
        self._stream = stream
        self._words = NearWords(stream)
        self._activity = activity
        self._endpoint = Endpoint()
        self._grammar: tuple[str, ...] | None = None
        self._told = ""

    @property
    def heard_bytes(self) -> int:
        """How much of the stream was heard."""
        return self._words.heard_bytes

    @property
    def text(self) -> str:
        """The words of the turn in progress."""
        return self._words.text

    async def expect(self, expects: Expects, grammar: Sequence[str] | None = None) -> None:
        """What the dialogue expects next. Words already heard stay as they were recognised."""
        phrases = frozenset(phrase.replace(" ", "") for phrase in grammar or ())
        self._endpoint.expect(expects, phrases)
        wanted = tuple(grammar) if grammar else None
        if wanted == self._grammar:
            return
        self._grammar = wanted
        await self._stream.set_grammar(wanted)

    def complete(self, text: str) -> None:
        """These words, if they stay as they are, say all that the dialogue needs."""
        self._endpoint.complete(text)

    async def reset(self) -> None:
        """Forget the turn in progress: it was not the caller."""
        self._endpoint.forget()
        self._told = ""
        await self._words.forget()

    async def feed(self, pcm: bytes) -> list[VoiceEvent]:
        """Hear ``pcm`` (whole samples) and tell what happened in it, in order."""
        events: list[VoiceEvent] = []
        for step in _steps(pcm):
            if events or len(pcm) > STEP_BYTES:
                await asyncio.sleep(0)  # a long message leaves other callers their turn
            events += await self._hear(step)
        return events

    async def finish(self) -> Words:
        """The final words of what no turn end has told yet: the stream is over."""
        self._told = ""
        return await self._words.finish()

    async def _hear(self, pcm: bytes) -> list[VoiceEvent]:
        voices = self._activity.hear(pcm)
        await self._accept(pcm)
        events: list[VoiceEvent] = []
        for voice in voices:
            signals = self._endpoint.hear(WINDOW_S, voice)
            events += [await self._tell(signal) for signal in signals]
        if self._endpoint.speaking and self.text != self._told:
            self._told = self.text
            events.append(Partial(self.text, bytes_ms(self.heard_bytes)))
        return events

    async def _accept(self, pcm: bytes) -> None:
        await self._words.accept(pcm, near=self._endpoint.speaking)
        self._endpoint.partial(self.text)

    async def _tell(self, signal: Signal) -> VoiceEvent:
        match signal:
            case Started(at, continues):
                await self._words.begin()
                self._endpoint.partial(self.text)
                return SpeechStarted(_ms(at), continues)
            case Stopped(at):
                return SpeechStopped(_ms(at))
            case Ended():
                return await self._end_turn(signal)

    async def _end_turn(self, ended: Ended) -> TurnEnded:
        before = time.perf_counter()
        final = await self._words.finish()
        self._told = ""
        cost_s = time.perf_counter() - before
        metrics.words.observe(cost_s)
        earliest = _ms(ended.start) - BEFORE_ONSET_MS
        words = Words(tuple(word for word in final.words if _is_of_turn(word, earliest)))
        return TurnEnded(
            text=words.text,
            confidence=round(words.confidence, 3),
            start_ms=_ms(ended.start),
            end_ms=_ms(ended.end),
            decided_ms=_ms(ended.decided),
            words_ms=round(1000 * cost_s, 1),
            words=words.words,
            continues=ended.continues,
        )


def _is_of_turn(word: Word, earliest_ms: int) -> bool:
    """Words without times (a remote recogniser may tell none) are always of the turn."""
    return word.end_ms >= earliest_ms or word.end_ms <= word.start_ms


def _steps(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), STEP_BYTES):
        yield pcm[start : start + STEP_BYTES]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
