"""One caller's listening: voice activity, words and end of turn joined into voice events.

A turn is opened by voice alone: words a recogniser finds in noise open none, and what it found
before the voice began is left out. A turn may end without words: a cough, or speech too faint.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

from asr import metrics
from asr.activity import WINDOW_S, Activity
from asr.endpoint import Ended, Endpoint, Signal, Started, Stopped
from asr.recogniser import SAMPLE_RATE, RecogniserStream, Words
from turns.replies import Expects
from turns.voice import Partial, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent, Word

STEP_BYTES = 2 * SAMPLE_RATE // 10
"""100 ms: longer messages are heard in such steps, so that an end inside them is found."""


BEFORE_ONSET_MS = 300
"""Words that end earlier than this before the voice's onset are not of the turn."""
IDLE_BYTES = 10 * 2 * SAMPLE_RATE
"""After ten seconds without a turn the recogniser starts anew, in a silent moment."""
SILENT = 0.1
"""Voice probability below which a window is surely silent."""


class Session:
    """Hears one stream of 8 kHz s16le audio and tells what happens in it."""

    def __init__(self, stream: RecogniserStream, activity: Activity, executor: Executor) -> None:
        self._stream = stream
        self._activity = activity
        self._executor = executor
        self._endpoint = Endpoint()
        self._grammar: tuple[str, ...] | None = None
        self._bytes = 0
        self._words_from = 0
        """Byte of the stream from which the recogniser's words are, and its times count."""
        self._text = ""
        self._told = ""

    @property
    def heard_bytes(self) -> int:
        """How much of the stream was heard."""
        return self._bytes

    @property
    def text(self) -> str:
        """The words of the turn in progress."""
        return self._text

    async def expect(self, expects: Expects, grammar: Sequence[str] | None = None) -> None:
        """What the dialogue expects next. Words already heard stay as they were recognised."""
        phrases = frozenset(phrase.replace(" ", "") for phrase in grammar or ())
        self._endpoint.expect(expects, phrases)
        wanted = tuple(grammar) if grammar else None
        if wanted == self._grammar:
            return
        self._grammar = wanted
        if not self._endpoint.speaking:
            await self._restart_words()
        await self._stream.set_grammar(wanted)

    def complete(self, text: str) -> None:
        """These words, if they stay as they are, say all that the dialogue needs."""
        self._endpoint.complete(text)

    async def reset(self) -> None:
        """Forget the turn in progress: it was not the caller."""
        self._endpoint.forget()
        await self._restart_words()

    async def feed(self, pcm: bytes) -> list[VoiceEvent]:
        """Hear ``pcm`` (whole samples) and tell what happened in it, in order."""
        events: list[VoiceEvent] = []
        for step in _steps(pcm):
            events += await self._hear(step)
        return events

    async def finish(self) -> Words:
        """The final words of what no turn end has told yet: the stream is over."""
        words = self._placed(await self._stream.finish())
        self._forget_words()
        return words

    async def _hear(self, pcm: bytes) -> list[VoiceEvent]:
        loop = asyncio.get_running_loop()
        voices = await loop.run_in_executor(self._executor, self._activity.hear, pcm)
        self._text = await self._stream.accept(pcm)
        self._bytes += len(pcm)
        self._endpoint.partial(self._text)
        events: list[VoiceEvent] = []
        for voice in voices:
            signals = self._endpoint.hear(WINDOW_S, voice)
            events += [await self._tell(signal) for signal in signals]
        if self._endpoint.speaking and self._text != self._told:
            self._told = self._text
            events.append(Partial(self._text, self._now_ms))
        elif self._is_idle(voices):
            await self._restart_words()
        return events

    def _is_idle(self, voices: Sequence[float]) -> bool:
        idle = self._bytes - self._words_from >= IDLE_BYTES
        return idle and not self._endpoint.speaking and max(voices, default=1.0) < SILENT

    async def _tell(self, signal: Signal) -> VoiceEvent:
        match signal:
            case Started(at, continues):
                return SpeechStarted(_ms(at), continues)
            case Stopped(at):
                return SpeechStopped(_ms(at))
            case Ended():
                return await self._end_turn(signal)

    async def _end_turn(self, ended: Ended) -> TurnEnded:
        before = time.perf_counter()
        final = self._placed(await self._stream.finish())
        cost_s = time.perf_counter() - before
        metrics.words.observe(cost_s)
        self._forget_words()
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

    async def _restart_words(self) -> None:
        await self._stream.finish()
        self._forget_words()

    def _forget_words(self) -> None:
        self._text, self._told, self._words_from = "", "", self._bytes

    def _placed(self, words: Words) -> Words:
        """The words with their times in ms of the whole stream."""
        offset = _bytes_ms(self._words_from)
        return Words(
            tuple(
                Word(word.text, word.start_ms + offset, word.end_ms + offset, word.confidence)
                for word in words.words
            )
        )

    @property
    def _now_ms(self) -> int:
        return _bytes_ms(self._bytes)


def _is_of_turn(word: Word, earliest_ms: int) -> bool:
    """Words without times (a remote recogniser may tell none) are always of the turn."""
    return word.end_ms >= earliest_ms or word.end_ms <= word.start_ms


def _steps(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), STEP_BYTES):
        yield pcm[start : start + STEP_BYTES]


def _bytes_ms(count: int) -> int:
    return count // 2 * 1000 // SAMPLE_RATE


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
