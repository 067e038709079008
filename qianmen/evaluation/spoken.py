"""Sentences as a caller's come in: spoken by espeak-ng, through G.711 A-law, heard by the ear."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from asr.assess.transcribe import recogniser_for, transcribe
from asr.assess.wav import read_wav
from config.settings import Settings
from qianmen.bench.g711 import encode
from qianmen.evaluation.labels import Label
from tts.say import synthesise

RATE = 8000
_A_LAW = 6
SPEEDS = (150, 165, 180)
"""Words a minute, by turns."""
_PAUSE = bytes(2 * RATE * 3 // 10)


async def spoken(
    settings: Settings, labels: Sequence[Label], on_heard: Callable[[], None]
) -> tuple[str, tuple[Label, ...]]:
    """The model's name, and the labels as it heard them, on the phone. espeak-ng's plain voice.

    Raises ``ModelError``, ``RecogniserError``, ``TtsError``.
    """
    heard = []
    with tempfile.TemporaryDirectory(prefix="qianmen-spoken-") as folder:
        path = Path(folder) / "said.wav"
        with ThreadPoolExecutor(1) as threads:
            name, recogniser = await recogniser_for(settings, "", threads)
            for at, label in enumerate(labels):
                write_a_law(path, synthesise(label.text, speed=SPEEDS[at % len(SPEEDS)]))
                told = await transcribe(recogniser, read_wav(path), 1)
                heard.append(label.said(told.text, "phone"))
                on_heard()
    return name, tuple(heard)


def write_a_law(path: Path, sound: bytes) -> None:
    """``sound`` (s16le, mono, 8 kHz) as a WAV file in G.711 A-law, a pause before and after."""
    coded = encode(np.frombuffer(_PAUSE + sound + _PAUSE, np.int16))
    layout = struct.pack("<HHIIHH", _A_LAW, 1, RATE, RATE, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", len(coded)) + coded
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
