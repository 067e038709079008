"""Vosk's own endpointing, which a model's files fix: when it takes an utterance for ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import vosk

from asr.resampling import Resampler
from qianmen.bench.sound import RATE, Samples, until_last_speech
from qianmen.citizen.sounds import load_wav

_PIECE_BYTES = 2 * RATE // 25
_SILENCE_S = 3


def ends_at(model: vosk.Model, rate: int, sound: Samples) -> list[float]:
    """When in ``sound`` Vosk takes an utterance with words for ended, s."""
    native, resampler = vosk.KaldiRecognizer(model, float(rate)), Resampler(RATE, rate)
    data, ends = sound.tobytes(), []
    for at in range(0, len(data), _PIECE_BYTES):
        ended = native.AcceptWaveform(resampler.push(data[at : at + _PIECE_BYTES]))
        if ended and json.loads(native.Result())["text"]:
            ends.append(min(at + _PIECE_BYTES, len(data)) / (2 * RATE))
    return ends


def waits_ms(folder: Path, rate: int, recordings: Sequence[Path]) -> list[float]:
    """The silence after which Vosk ends each recording, ms; those it cuts before are left out."""
    vosk.SetLogLevel(-2)
    model = vosk.Model(str(folder))
    waits = []
    for path in recordings:
        speech = until_last_speech(np.frombuffer(load_wav(path), dtype="<i2"))
        quiet = np.zeros(_SILENCE_S * RATE, np.int16)
        ends = ends_at(model, rate, np.concatenate((quiet[: RATE // 2], speech, quiet)))
        over = RATE / 2 / RATE + len(speech) / RATE
        waits += [1000 * (end - over) for end in ends[:1] if end >= over]
    return waits
