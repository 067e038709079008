"""A recogniser that needs no model: it reveals a script while sound is loud.

Every 150 ms of sound louder than a whisper reveal one more character, so what it tells depends on
the audio that reached it. It counts time like Vosk: from a stream's last finish.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.recogniser import RecogniserError, Words
from turns.voice import Word

STEP_MS = 150
_LOUD = 500


class FakeRecogniser:
    """Streams that reveal ``script``; ``fail_after_bytes`` makes them die on the way."""

    def __init__(self, script: str, *, fail_after_bytes: int | None = None) -> None:
        self.script = script
        self.fail_after_bytes = fail_after_bytes
        self.streams: list[FakeStream] = []

    async def start(self) -> None:
        """Nothing to load."""

    async def open(self) -> FakeStream:
        """A new stream."""
        stream = FakeStream(self.script, self.fail_after_bytes)
        self.streams.append(stream)
        return stream


class FakeStream:
    """One stream of a `FakeRecogniser`."""

    def __init__(self, script: str, fail_after_bytes: int | None) -> None:
        self._script = script
        self._fail_after = fail_after_bytes
        self._accepted = 0
        self._loud_ms = 0.0
        self._revealed_ms: list[int] = []
        self.total_bytes = 0
        self.grammars: list[tuple[str, ...] | None] = []
        self.closed = False

    async def accept(self, pcm: bytes) -> str:
        self.total_bytes += len(pcm)
        if self._fail_after is not None and self.total_bytes > self._fail_after:
            raise RecogniserError("asr_lost", "the fake fails as it was told")
        self._accepted += len(pcm)
        samples = np.frombuffer(pcm, "<i2").astype(np.int32)
        if len(samples) and np.abs(samples).max() > _LOUD:
            self._loud_ms += len(samples) / 8
        text = self._text()
        self._revealed_ms += [self._accepted // 16] * (len(text) - len(self._revealed_ms))
        return text

    async def finish(self) -> Words:
        words = tuple(
            Word(character, at_ms - STEP_MS, at_ms, 0.9)
            for character, at_ms in zip(self._text(), self._revealed_ms, strict=True)
        )
        self._accepted, self._loud_ms, self._revealed_ms = 0, 0.0, []
        return Words(words)

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        self.grammars.append(None if phrases is None else tuple(phrases))

    async def close(self) -> None:
        self.closed = True

    def _text(self) -> str:
        return self._script[: int(self._loud_ms // STEP_MS)]
