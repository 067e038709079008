from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from qianmen.citizen.errors import CitizenError
from qianmen.citizen.sounds import load_wav, spoken


def write(path: Path, samples: np.ndarray, rate: int, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def test_a_recording_of_any_rate_becomes_telephone_sound(tmp_path: Path) -> None:
    times = np.arange(16_000) / 16_000
    left = (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2")
    path = write(tmp_path / "a.wav", np.column_stack((left, np.zeros_like(left))), 16_000)
    name, pcm = spoken(path, "cmn", 160)
    samples = np.frombuffer(pcm, dtype="<i2")
    assert name == "a.wav"
    assert abs(len(samples) - 8000) < 50
    spectrum = np.abs(np.fft.rfft(samples[:8000].astype(float)))
    assert abs(int(spectrum.argmax()) * 8000 / len(samples[:8000]) - 440) < 3


def test_a_sentence_is_spoken() -> None:
    text, pcm = spoken("你好", "cmn", 160)
    assert text == "你好"
    assert 2000 < len(pcm) < 40_000


def test_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "empty.wav").touch()
    write(tmp_path / "short.wav", np.zeros((0, 1), dtype="<i2"), 8000)
    write(tmp_path / "bytes.wav", np.zeros((80, 1), dtype=np.uint8), 8000, width=1)
    for name in ("text.wav", "empty.wav", "short.wav", "bytes.wav", "missing.wav"):
        with pytest.raises(CitizenError) as caught:
            load_wav(tmp_path / name)
        assert caught.value.code == "bad_input"
        assert name in str(caught.value)


def test_a_voice_that_does_not_exist() -> None:
    with pytest.raises(CitizenError):
        spoken("你好", "klingon", 160)
