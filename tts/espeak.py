"""espeak-ng 1.52 through ctypes: text in, telephone sound out.

Library and voices come with the wheel `espeakng-loader`; nothing of the system is used. Mandarin
is spoken from pinyin (`tts.pronunciation` says why). The library keeps global state: one lock a
process.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
import soxr
from numpy.typing import NDArray

from tts.errors import TtsError
from tts.pronunciation import numbered_pinyin

SAMPLE_RATE = 8000
"""Hz of what `speak` returns: 16-bit, mono."""
_RETRIEVAL_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH = 1, 2, 3
_VOLUME_PERCENT = 70
"""At 100 loud vowels clip; `tts.level` sets the level."""
_VOICE_NAME = re.compile(r"cmn(?:\+([A-Za-z0-9_]{1,20}))?")
_MANDARIN = "cmn-latn-pinyin"
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a text is spoken.

    ``name`` is ``cmn`` or ``cmn+VARIANT`` (a variant of espeak-ng, such as f3 or m5); ``speed`` in
    words a minute, 80 to 400; ``pitch`` 0 to 99, 50 as the voice is.
    """

    name: str = "cmn"
    speed: int = 165
    pitch: int = 50

    def __post_init__(self) -> None:
        if not _exists(self.name):
            raise TtsError("tts_voice", f"no voice {self.name!r}: use cmn or cmn+VARIANT")
        if not (80 <= self.speed <= 400 and 0 <= self.pitch <= 99):
            raise TtsError("tts_voice", "speed must be 80 to 400, pitch 0 to 99")


def _exists(name: str) -> bool:
    """espeak-ng takes unknown variants silently, so their files are looked for."""
    match = _VOICE_NAME.fullmatch(name)
    variants = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return match is not None and (match[1] is None or (variants / match[1]).is_file())


class Espeak:
    """The library, started once a process: `espeak()`."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lock = threading.Lock()
        self._chunks: list[Samples] = []
        # The callback must outlive the library's use of it, hence an attribute.
        self._callback = _Callback(self._collect)
        data = espeakng_loader.get_data_path().encode()
        self._rate = int(
            self._library.espeak_Initialize(_RETRIEVAL_SYNCHRONOUS, 0, data, _DONT_EXIT)
        )
        if self._rate <= 0:
            raise TtsError("tts_failed", "espeak-ng did not start")
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: Voice, readings: Iterable[tuple[str, str]] = ()) -> Samples:
        """Samples of ``text`` at 8 kHz; ``readings``: words and their pinyin with tone numbers.

        Raises `TtsError`; a text without words is an error.
        """
        if not any(character.isalnum() for character in text):
            raise TtsError("tts_failed", "a text without words cannot be spoken")
        with self._lock:
            sound = self._synthesise(numbered_pinyin(text, readings), voice)
        return np.asarray(soxr.resample(sound, self._rate, SAMPLE_RATE), np.int16)

    def _synthesise(self, pinyin: str, voice: Voice) -> Samples:
        name = _MANDARIN + voice.name.removeprefix("cmn")
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise TtsError("tts_voice", f"espeak-ng has no voice {voice.name!r}")
        for parameter, value in (
            (_RATE, voice.speed),
            (_VOLUME, _VOLUME_PERCENT),
            (_PITCH, voice.pitch),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        data = pinyin.encode()
        code = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        if code != 0 or not self._chunks:
            raise TtsError("tts_failed", f"espeak-ng spoke nothing (code {code})")
        return np.concatenate(self._chunks)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


@cache
def espeak() -> Espeak:
    """This process's espeak-ng."""
    return Espeak()
