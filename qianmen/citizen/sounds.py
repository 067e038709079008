"""What a citizen says: a sentence spoken by espeak-ng, or a recording."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr

from qianmen.citizen.ear import SAMPLE_RATE
from qianmen.citizen.errors import CitizenError
from tts.errors import TtsError
from tts.say import synthesise

LONGEST_S = 120.0


def spoken(said: str | Path, voice: str, speed: int) -> tuple[str, bytes]:
    """The words (a recording's file name) and the sound: s16le, 8000 Hz, mono.

    Raises ``CitizenError("bad_input")``.
    """
    if isinstance(said, Path):
        return said.name, load_wav(said)
    try:
        return said, synthesise(said, voice, speed)
    except TtsError as error:
        raise CitizenError("bad_input", f"the citizen cannot say that: {error}") from None


def load_wav(path: Path) -> bytes:
    """A 16-bit PCM WAV of any rate, its first channel, at 8000 Hz; at most ``LONGEST_S``.

    Raises ``CitizenError("bad_input")`` naming the file and what is wrong with it.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, rate, channels = file.getsampwidth(), file.getframerate(), file.getnchannels()
            data = file.readframes(int(min(file.getnframes(), rate * LONGEST_S)))
    except FileNotFoundError:
        raise CitizenError("bad_input", f"{path}: there is no such file") from None
    except (OSError, EOFError, wave.Error) as error:
        raise CitizenError("bad_input", f"{path}: not a WAV file ({error})") from None
    if width != 2 or rate <= 0 or not data:
        raise CitizenError("bad_input", f"{path}: a recording must be 16-bit PCM and not empty")
    samples = np.frombuffer(data[: len(data) - len(data) % (2 * channels)], dtype="<i2")
    first = samples.reshape(-1, channels)[:, 0]
    if rate != SAMPLE_RATE:
        first = np.asarray(soxr.resample(first, rate, SAMPLE_RATE), dtype="<i2")
    return bytes(first.astype("<i2").tobytes())
