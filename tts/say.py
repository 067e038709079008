"""Speech at once, in this process: for simulators and tests, not for the phone."""

from __future__ import annotations

from language.speakable import speakable
from tts.espeak import SAMPLE_RATE, Voice, espeak
from tts.level import levelled


def synthesise(text: str, voice: str = "cmn", speed: int = 165, pitch: int = 50) -> bytes:
    """``text`` as s16le, 8 kHz, levelled; ``speed`` in words a minute, ``pitch`` 0 to 99.

    Raises `TtsError`. Blocks for about 10 ms a sentence.
    """
    samples = espeak().speak(speakable(text), Voice(voice, speed, pitch))
    return levelled(samples, SAMPLE_RATE).astype("<i2").tobytes()
