"""Sound as a WAV file, which every browser plays."""

from __future__ import annotations

import io
import wave

RATE_HZ = 8000


def wav_of(pcm: bytes) -> bytes:
    """16-bit samples (little endian, 8 kHz, mono) as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm)
    return file.getvalue()
