"""One recording through a recogniser, at telephone rate, as a caller's voice goes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.activity import SileroPool
from asr.assess.wav import Wav
from asr.models.shelf import find, shelf, wanted
from asr.models.tried import Tried
from asr.recogniser import SAMPLE_RATE, Recogniser, Words
from asr.resampling import Resampler
from asr.session import Session
from asr.vosk_local import VoskRecogniser
from asr.vosk_remote import RemoteRecogniser
from config.settings import Settings
from turns.voice import TurnEnded, Word

_TAIL = bytes(2 * SAMPLE_RATE * 3 // 10)
"""The line is silent for a while after the last word; so much lets a recogniser hear it out."""
_SILENCE = bytes(2 * SAMPLE_RATE // 10)
_TURN_END_S = 2.0
"""Longer than any patience with silence: the last turn ends."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard; times in ms of the recording. ``seconds`` of sound took ``elapsed_s`` of
    waiting, reading and resampling included. ``turns`` only where they were asked for."""

    text: str
    confidence: float
    words: tuple[Word, ...]
    seconds: float
    elapsed_s: float
    turns: tuple[TurnEnded, ...] | None = None

    @property
    def real_time_factor(self) -> float:
        """Seconds spent for a second of sound."""
        return self.elapsed_s / self.seconds

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        told = asdict(self)
        if self.turns is None:
            del told["turns"]
        return {
            **told,
            "confidence": round(self.confidence, 3),
            "seconds": round(self.seconds, 3),
            "elapsed_s": round(self.elapsed_s, 3),
            "real_time_factor": round(self.real_time_factor, 4),
        }


async def recogniser_for(
    settings: Settings, name: str, executor: Executor
) -> tuple[str, Recogniser]:
    """A started recogniser and what it is called: ``name`` is a model's name or folder, the
    ``ws://`` address of a vosk-server, or '' for what calls are recognised with.

    Raises `ModelError`, `RecogniserError`.
    """
    url = name if name.startswith(("ws://", "wss://")) else "" if name else settings.asr_url
    recogniser: Recogniser
    if url:
        name, recogniser = url, RemoteRecogniser(url)
    else:
        name = name or wanted(settings)
        recogniser = VoskRecogniser(find(settings, name), executor, Tried(shelf(settings)))
    await recogniser.start()
    return name, recogniser


async def transcribe(recogniser: Recogniser, wav: Wav, channel: int | None) -> Transcript:
    """The whole recording as one turn. Raises `AssessError`, `RecogniserError`."""
    began = time.perf_counter()
    stream = await recogniser.open()
    try:
        for piece in telephone(wav, channel):
            await stream.accept(piece)
        await stream.accept(_TAIL)
        words = await stream.finish()
    finally:
        await stream.close()
    return _transcript(words, wav, began)


async def transcribe_turns(
    recogniser: Recogniser, wav: Wav, channel: int | None, pool: SileroPool
) -> Transcript:
    """The recording cut into turns as in a call, where nothing particular is expected.

    Raises `AssessError`, `RecogniserError`.
    """
    began = time.perf_counter()
    stream = await recogniser.open()
    try:
        with pool.lend() as activity:
            session = Session(stream, activity)
            turns = [turn async for turn in _turns(session, wav, channel)]
    finally:
        await stream.close()
    words = Words(tuple(word for turn in turns for word in turn.words))
    return _transcript(words, wav, began, tuple(turns))


async def _turns(session: Session, wav: Wav, channel: int | None) -> AsyncIterator[TurnEnded]:
    silent = (_SILENCE for _ in range(round(_TURN_END_S / 0.1)))
    for pieces in (telephone(wav, channel), silent):
        for piece in pieces:
            for event in await session.feed(piece):
                if isinstance(event, TurnEnded):
                    yield event


def telephone(wav: Wav, channel: int | None) -> Iterator[bytes]:
    """The sound as the phone hands it on: s16le, mono, 8 kHz."""
    resampler = Resampler(wav.rate, SAMPLE_RATE)
    for samples in wav.pieces(channel):
        loud = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2")
        if piece := resampler.push(loud.tobytes()):
            yield piece


def _transcript(
    words: Words, wav: Wav, began: float, turns: tuple[TurnEnded, ...] | None = None
) -> Transcript:
    elapsed = time.perf_counter() - began
    return Transcript(words.text, words.confidence, words.words, wav.seconds, elapsed, turns)
