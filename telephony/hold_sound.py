"""What who waits in the queue hears between two sentences: music, nothing, or the city's own."""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import structlog

from config.city import City
from telephony.line import SAMPLE_RATE_HZ
from telephony.tones import melody

_LONGEST_S = 600
_log = structlog.get_logger(__name__)


def hold_sound(city: City) -> bytes:
    """One period of it, s16le at 8 kHz; b'' for silence. Reads a file the first time.

    A file that is missing or is no WAV of 8 kHz, 16 bit and one channel is logged, and the music
    that is shipped stands in: nobody is left to think that the line is dead.
    """
    wanted = city.queue.announcements.hold
    if wanted == "silence":
        return b""
    return (_recorded(city.folder / wanted) if wanted != "music" else b"") or melody()


@cache
def _recorded(path: Path) -> bytes:
    try:
        with wave.open(str(path), "rb") as file:
            fits = (file.getframerate(), file.getsampwidth(), file.getnchannels())
            if fits == (SAMPLE_RATE_HZ, 2, 1):
                return file.readframes(_LONGEST_S * SAMPLE_RATE_HZ)
    except (OSError, EOFError, wave.Error):
        fits = (0, 0, 0)
    _log.error("hold_sound_unusable", code="sound_unusable", file=path.name, fits=fits)
    return b""
