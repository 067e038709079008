"""espeak-ng 1.52 through ctypes: words in, samples out.

The library and its voices come with the wheel `espeakng-loader`; nothing of the system is used.
The library keeps global state, is not thread-safe and breaks when started twice: make one `Speaker`
a process.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SpeechError(RuntimeError):
    """espeak-ng refused a voice or a text."""

    code = "espeak_failed"


@dataclass(frozen=True)
class Voice:
    """How a sentence is spoken.

    `variant` is an espeak-ng voice variant ("" for the plain voice), `speed` words a minute,
    `pitch` and `pitch_range` 0 to 100. `pinyin` feeds tone-numbered pinyin to `cmn-latn-pinyin`
    instead of characters to `cmn`.
    """

    variant: str = ""
    speed: int = 160
    pitch: int = 50
    pitch_range: int = 50
    pinyin: bool = True

    @property
    def name(self) -> str:
        """The name espeak-ng knows the voice by."""
        base = "cmn-latn-pinyin" if self.pinyin else "cmn"
        return f"{base}+{self.variant}" if self.variant else base


def numbered_pinyin(text: str) -> str:
    """Tone-numbered pinyin, one syllable a word, as `cmn-latn-pinyin` reads it."""
    return " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False))


class Speaker:
    """One espeak-ng, speaking on request. `sample_rate` is in Hz."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._chunks: list[NDArray[np.int16]] = []
        # The callback must outlive the library's use of it, hence an attribute.
        self._callback = _SYNTH_CALLBACK(self._collect)
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate = int(
            self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
        )
        if self.sample_rate <= 0:
            raise SpeechError("espeak-ng did not start")
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).astype(np.int16))
        return 0

    def _select(self, voice: Voice) -> None:
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise SpeechError(f"espeak-ng has no voice {voice.name}")

    def say(self, text: str, voice: Voice) -> NDArray[np.int16]:
        """Samples of `text` at `sample_rate`, 16-bit mono."""
        self._select(voice)
        for parameter, value in (
            (_RATE, voice.speed),
            (_VOLUME, 100),
            (_PITCH, voice.pitch),
            (_RANGE, voice.pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        data = (numbered_pinyin(text) if voice.pinyin else text).encode()
        code = self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        if code != 0 or not self._chunks:
            raise SpeechError(f"espeak-ng could not speak (code {code})")
        return np.concatenate(self._chunks)

    def phonemes(self, text: str, *, pinyin: bool) -> str:
        """espeak-ng's phonemes of `text`, without stress, tones and word borders."""
        self._select(Voice(pinyin=pinyin))
        buffer = ctypes.create_string_buffer((numbered_pinyin(text) if pinyin else text).encode())
        pointer = ctypes.c_void_p(ctypes.addressof(buffer))
        parts: list[bytes] = []
        while pointer.value:
            parts.append(self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _CHARS_UTF8, 0))
        return b"".join(parts).decode().translate(_PROSODY)

    def reads_characters_rightly(self, text: str) -> bool:
        """Whether voice `cmn` reads the characters as `pypinyin` does, tones aside."""
        return self.phonemes(text, pinyin=False) == self.phonemes(text, pinyin=True)


_PROSODY = str.maketrans("", "", "'|,_- 0123456789")
