"""Sentences to sound for the phone: from the cache, else from the synthesiser process."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

import structlog

from language.speakable import speakable
from sealing.keys import Keyring
from tts import metrics
from tts.cache import SoundCache, key
from tts.errors import TtsError
from tts.frames import Request
from tts.level import louder
from tts.process import SynthesisProcess, worker
from tts.recordings import NONE, Recordings
from tts.sentences import sentences
from tts.stretch import stretched
from turns.manner import PLAIN, RATES, Manner

log = structlog.get_logger()
SLOWEST = 80
"""Words a minute: what the synthesiser can do."""
Readings = Mapping[str, str]
NO_READINGS: Readings = {}
_RATE_POWER = 0.9
"""espeak-ng at 0.8 of its speed takes 1.27 to 1.30 times as long; so it takes 1.25 times."""


class Synthesiser(Protocol):
    """Turns words into sound."""

    async def speak(self, request: Request) -> bytes:
        """Sound (s16le, 8 kHz); raises `TtsError`."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


def speed_at(speed: int, rate: float) -> int:
    """The synthesiser's speed for ``rate`` times the configured ``speed``, words a minute."""
    return max(SLOWEST, round(speed * math.pow(rate, _RATE_POWER)))


def commanded(voice: str, command: str) -> str:
    """What the cache calls the voice of the city's own synthesiser, '' where there is none."""
    digest = hashlib.sha256(command.encode()).hexdigest()[:16]
    return f"{voice}|{digest}" if command else ""


def parts_of(text: str, recordings: Recordings) -> list[str]:
    """The parts in which ``text`` is said: recorded pieces as they are, the rest in sentences."""
    pieces = recordings.pieces(text)
    if pieces is None:
        return sentences(text)
    if pieces == [text]:
        return pieces
    return [part for piece in pieces for part in parts_of(piece, recordings)]


def readings_in(spoken: str, readings: Readings) -> tuple[tuple[str, str], ...]:
    """Those of the city's ``readings`` whose words stand in ``spoken``."""
    return tuple((word, reading) for word, reading in readings.items() if word in spoken)


def names_of(
    sentence: str, voice: str, speed: int, command: str = "", readings: Readings = NO_READINGS
) -> set[str]:
    """The cache's keys of ``sentence`` at every speed that a caller may have asked for."""
    spoken = speakable(sentence)
    voices = filter(None, (voice, commanded(voice, command)))
    read = readings_in(spoken, readings)
    return {key(spoken, name, speed_at(speed, rate), read) for name in voices for rate in RATES}


def _name(request: Request) -> str:
    return key(request.text, request.voice, request.speed, request.readings)


class Speaker:
    """Renders texts in one voice: s16le, 8 kHz, mono, levelled, silence trimmed.

    ``voice`` is ``cmn`` or ``cmn+VARIANT``, ``speed`` in words a minute. What ``recordings`` holds
    is taken from there. ``command``: the city's own synthesiser (`tts.command`);
    ``readings``: how names of the city are read, in pinyin with tone numbers. Nothing heavy
    happens in this process: synthesis is a child's, files are read in a thread. `close` it, or use
    it as an async context manager.
    """

    def __init__(
        self,
        cache_dir: Path,
        voice: str = "cmn",
        speed: int = 165,
        synthesiser: Synthesiser | None = None,
        keys: Keyring | None = None,
        recordings: Recordings = NONE,
        command: str = "",
        readings: Readings = NO_READINGS,
    ) -> None:
        self._readings = readings
        self._commanded = commanded(voice, command)
        self._recordings = recordings
        self._cache = SoundCache(cache_dir, keys=keys)
        self._voice = voice
        self._speed = speed
        self._synthesiser = synthesiser or SynthesisProcess(worker(command))
        self._rendering: dict[str, asyncio.Task[bytes]] = {}

    async def __aenter__(self) -> Speaker:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def parts(self, text: str) -> list[str]:
        """``text`` in the parts that are rendered one by one: recordings, else its sentences."""
        return parts_of(text, self._recordings)

    async def render(self, text: str, manner: Manner = PLAIN) -> bytes:
        """The sound of ``text``, whole. Raises `TtsError` ``tts_failed`` or ``tts_timeout``."""
        recorded = self._recordings.sound(text)
        if recorded is None:
            pcm = await self._spoken(speakable(text), manner)
        else:
            pcm = await self._at_rate(recorded, manner.rate)
        if manner.gain_db:
            pcm = await asyncio.to_thread(louder, pcm, manner.gain_db)
        return pcm

    async def _spoken(self, spoken: str, manner: Manner) -> bytes:
        """By the city's own synthesiser; while that fails, by the built-in voice."""
        *preferred, built_in = self._requests(spoken, manner)
        for request in preferred:
            try:
                return await self._sound(request)
            except TtsError as error:
                log.warning("speech_command_failed", code=error.code, characters=len(spoken))
        return await self._sound(built_in)

    def _requests(self, spoken: str, manner: Manner) -> list[Request]:
        """In the order of preference; the last always works."""
        speed = speed_at(self._speed, manner.rate)
        read = readings_in(spoken, self._readings)
        built_in = Request(spoken, self._voice, speed, manner.rate, readings=read)
        if not self._commanded:
            return [built_in]
        return [replace(built_in, voice=self._commanded, command=True), built_in]

    def _names(self, text: str) -> list[str]:
        requests = self._requests(speakable(text), PLAIN)
        return [_name(request) for request in requests]

    async def _at_rate(self, recorded: bytes, rate: float) -> bytes:
        """A recording at ``rate`` times its speed."""
        if rate == 1.0:
            metrics.renderings.labels("recorded").inc()
            return recorded
        name = key(hashlib.sha256(recorded).hexdigest(), "recorded", round(rate * 1000))
        pcm = await asyncio.to_thread(self._cache.get, name)
        if pcm is None:
            pcm = await asyncio.to_thread(stretched, recorded, rate)
            await asyncio.to_thread(self._cache.put, name, pcm)
        return pcm

    async def _sound(self, request: Request) -> bytes:
        name = _name(request)
        pcm = await asyncio.to_thread(self._cache.get, name)
        if pcm is not None:
            metrics.renderings.labels("cache").inc()
            return pcm
        task = self._rendering.get(name)
        if task is not None:
            metrics.renderings.labels("joined").inc()
        else:
            task = asyncio.create_task(self._render(name, request))
            self._rendering[name] = task
            task.add_done_callback(lambda done: self._rendered(name, done))
        return await asyncio.shield(task)  # one listener who hangs up must not stop the others

    def cached(self, text: str) -> bytes | None:
        """The sound if it was rendered before: what is left when the synthesiser fails."""
        sounds = (self._cache.get(name) for name in self._names(text))
        return self._recordings.sound(text) or next(filter(None, sounds), None)

    async def kept(self, text: str) -> bool:
        """Whether the sound of ``text`` lies on the disk; it is marked as still used."""
        if self._recordings.sound(text) is not None:
            return True
        return await asyncio.to_thread(self._cache.keep, self._names(text)[0])

    async def warm(self, texts: Iterable[str]) -> int:
        """Render ``texts`` into the cache; returns how many failed (they are logged by code)."""
        failed = 0
        for text in texts:
            try:
                await self.render(text)
            except TtsError as error:
                failed += 1
                log.warning("tts_warm_failed", code=error.code, characters=len(text))
        return failed

    async def close(self) -> None:
        """End the synthesiser."""
        tasks = list(self._rendering.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._synthesiser.close()

    def _rendered(self, name: str, done: asyncio.Task[bytes]) -> None:
        self._rendering.pop(name, None)
        if not done.cancelled():
            done.exception()  # taken here, for the case that every listener hung up

    async def _render(self, name: str, request: Request) -> bytes:
        try:
            with metrics.synthesis_seconds.time():
                pcm = await self._synthesiser.speak(request)
        except TtsError:
            metrics.renderings.labels("failed").inc()
            raise
        metrics.renderings.labels("synthesised").inc()
        await asyncio.to_thread(self._cache.put, name, pcm)
        return pcm
