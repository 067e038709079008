"""The sound of a call as the citizen's telephone knows it, to be saved as WAV."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from qianmen.citizen.ear import SAMPLE_RATE


class Track:
    """What was heard, and what was said over it; s16le, 8000 Hz."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._said: list[tuple[int, bytes]] = []

    @property
    def length_s(self) -> float:
        """How much was heard, s."""
        return len(self._heard) / 2 / SAMPLE_RATE

    def hear(self, pcm: bytes) -> None:
        """Goes on with ``pcm``."""
        self._heard += pcm

    def say(self, pcm: bytes) -> None:
        """``pcm`` is said from now on."""
        self._said.append((len(self._heard) // 2, pcm))

    def save(self, path: Path) -> None:
        """Stereo: left what was said, right what was heard."""
        heard = np.frombuffer(bytes(self._heard), dtype="<i2")
        said = np.zeros(len(heard), dtype="<i2")
        for start, pcm in self._said:
            samples = np.frombuffer(pcm, dtype="<i2")[: len(said) - start]
            said[start : start + len(samples)] = samples
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(np.column_stack((said, heard)).astype("<i2").tobytes())
