"""A synthesiser of the city's choice behind a command: words on its stdin, a sound file on stdout.

``piper --model voice.onnx --output_file -``, or ``curl --data-binary @- http://…`` for a server.
It is started for each sentence that is not in the cache. One that fails or hangs is left alone for
a while: until then the built-in voice speaks.
"""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable, Sequence

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tts.errors import TtsError

SAMPLE_RATE_HZ = 8000
TIMEOUT_S = 4.0
"""Below what the phone gives its synthesiser process (`tts.process.TIMEOUT_S`)."""
REST_S = 30.0
_LONGEST_S = 120

Samples = NDArray[np.int16]


class CommandVoice:
    """Speaks by ``command``; ``clock`` counts seconds. Blocks."""

    def __init__(
        self,
        command: Sequence[str],
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._clock = clock
        self._rests_until = float("-inf")

    def speak(self, text: str) -> Samples:
        """``text`` at 8 kHz; raises `TtsError` ``tts_command``."""
        if self._clock() < self._rests_until:
            raise TtsError("tts_command", "the command failed a moment ago")
        try:
            return _decoded(self._run(text))
        except TtsError:
            self._rests_until = self._clock() + REST_S
            raise

    def _run(self, text: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  # the installation's own setting
                self._command,
                input=text.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it may repeat the words, which are a citizen's
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise TtsError("tts_command", f"the command: {type(error).__name__}") from None
        if done.returncode != 0:
            raise TtsError("tts_command", f"the command ended with {done.returncode}")
        return done.stdout


def _decoded(data: bytes) -> Samples:
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as source:
            sound = source.read(_LONGEST_S * source.samplerate, dtype="float32", always_2d=True)
            narrow = soxr.resample(sound.mean(axis=1), source.samplerate, SAMPLE_RATE_HZ)
    except (RuntimeError, ValueError):
        raise TtsError("tts_command", "the command gave no sound") from None
    samples: Samples = np.rint(np.clip(narrow, -1, 1) * 32767).astype(np.int16)
    if not samples.any():
        raise TtsError("tts_command", "the command gave silence")
    return samples
