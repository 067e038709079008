"""Trying a model out: espeak-ng speaks, a telephone line carries it, vosk listens."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import vosk

from asr.starter.speech import Speaker, Voice
from asr.starter.telephone import SAMPLE_RATE, Samples, to_telephone_rate

_CHUNK_BYTES = SAMPLE_RATE // 10 * 2


def speak(speaker: Speaker, text: str, voice: Voice) -> Samples:
    """Clean speech at telephone rate after 0.3 s and before 0.5 s of silence."""
    clean = to_telephone_rate(speaker.say(text, voice), speaker.sample_rate)
    return np.pad(clean, (SAMPLE_RATE * 3 // 10, SAMPLE_RATE // 2))


def recognise(model: vosk.Model, samples: Samples, grammar: Sequence[str] | None = None) -> str:
    """Text of samples in -1..1 at 8000 Hz, fed in chunks of 100 ms, spaces removed."""
    words = () if grammar is None else (json.dumps(list(grammar), ensure_ascii=False),)
    recognizer = vosk.KaldiRecognizer(model, SAMPLE_RATE, *words)
    data = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    chunks = (data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES))
    results = [recognizer.Result() for chunk in chunks if recognizer.AcceptWaveform(chunk)]
    texts = (json.loads(result)["text"] for result in (*results, recognizer.FinalResult()))
    return "".join(texts).replace(" ", "")
