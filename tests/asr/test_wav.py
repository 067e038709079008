"""WAV files: every encoding, and what is none."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asr.assess.errors import AssessError
from asr.assess.transcribe import telephone
from asr.assess.wav import Samples, Wav, read_wav
from tests.asr.recordings import encoded, riff, write_wav

TONE = np.sin(np.arange(4000) / 7) * 0.5
PCM = np.round(TONE * 32768).astype("<i2").tobytes()
TONE = np.frombuffer(PCM, "<i2") / 32768


def sound(wav: Wav, channel: int | None = 1) -> Samples:
    return np.concatenate(list(wav.pieces(channel)))


@pytest.mark.parametrize(
    ("kind", "bits", "near"),
    [
        ("pcm", 8, 0.005), ("pcm", 16, 1e-4), ("pcm", 24, 1e-6), ("pcm", 32, 1e-6),
        ("float", 32, 1e-6), ("float", 64, 1e-6), ("a-law", 8, 0.02), ("mu-law", 8, 0.02),
    ],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_every_encoding_gives_the_same_sound(
    tmp_path: Path, kind: str, bits: int, near: float, channels: int
) -> None:
    path = write_wav(
        tmp_path / "a.wav", PCM, kind=kind, bits=bits, channels=channels, channel=channels
    )
    wav = read_wav(path)
    assert (wav.rate, wav.channels, wav.frames, wav.seconds) == (8000, channels, 4000, 0.5)
    assert np.abs(sound(wav, channels) - TONE).max() < near
    assert np.abs(sound(wav, None) - TONE / channels).max() < near


@pytest.mark.parametrize(
    ("law", "codes"),
    [
        ("mu-law", {0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xF0: 120, 0x8F: 16764}),
        ("a-law", {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0x80: 5504}),
    ],
)
def test_the_laws_are_those_of_g_711(tmp_path: Path, law: str, codes: dict[int, int]) -> None:
    kind = 7 if law == "mu-law" else 6
    path = tmp_path / "a.wav"
    path.write_bytes(riff(bytes(codes), kind, 1, 8000, 8))
    assert (sound(read_wav(path)) * 32768).tolist() == list(codes.values())


def test_extensible_headers_and_other_chunks(tmp_path: Path) -> None:
    layout = struct.pack("<HHIIHHHHIH14s", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4, 1, b"guid")
    body = b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"odd\0"
    body += b"fmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", len(PCM)) + PCM
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert np.abs(sound(read_wav(path)) - TONE).max() < 1e-4


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_streamed_file_that_tells_no_length(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(PCM, 1, 1, 8000, 16, size=size))
    assert read_wav(path).frames == 4000


def test_wild_floats_become_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wild = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0, 0.25])
    path.write_bytes(riff(encoded(wild, "float", 32), 3, 1, 8000, 32))
    assert sound(read_wav(path)).tolist() == [0.0, 1.0, -1.0, 1.0, -1.0, 0.25]


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_any_rate_becomes_the_telephone_s(tmp_path: Path, rate: int) -> None:
    tone = np.round(np.sin(np.arange(rate) * 2 * np.pi * 400 / rate) * 9000).astype("<i2")
    wav = read_wav(write_wav(tmp_path / "a.wav", tone.tobytes(), rate=rate))
    heard = np.frombuffer(b"".join(telephone(wav, 1)), "<i2")
    assert 7600 <= len(heard) <= 8000
    spectrum = np.abs(np.fft.rfft(heard))
    assert abs(spectrum.argmax() * 8000 / len(heard) - 400) < 3
    if rate == 8000:
        assert heard.tobytes() == tone.tobytes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "audio_format"),
        (b"ID3 an mp3", "audio_format"),
        (b"RIFF\0\0\0\0WAVE", "audio_format"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0data\x02\0\0\0\0\0", "audio_format"),
        (riff(PCM, 49, 1, 8000, 16), "audio_format"),
        (riff(PCM, 1, 0, 8000, 16), "audio_format"),
        (riff(PCM, 1, 1, 1, 16), "audio_format"),
        (riff(PCM, 1, 1, 8000, 12), "audio_format"),
        (riff(PCM, 1, 1, 8000, 16)[:-1000], "audio_truncated"),
        (riff(b"", 1, 1, 8000, 16), "audio_empty"),
    ],
)
def test_what_is_no_recording_has_a_code(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(AssessError) as caught:
        read_wav(path)
    assert caught.value.code == code


def test_what_is_not_there_has_a_code(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.wav"):
        with pytest.raises(AssessError) as caught:
            read_wav(path)
        assert caught.value.code == "audio_missing"
    wav = read_wav(write_wav(tmp_path / "a.wav", PCM))
    with pytest.raises(AssessError) as caught:
        sound(wav, 2)
    assert caught.value.code == "audio_channel"
    wav.path.write_bytes(wav.path.read_bytes()[:100])
    with pytest.raises(AssessError) as caught:
        sound(wav)
    assert caught.value.code == "audio_truncated"


GOOD = riff(PCM[:200], 1, 2, 8000, 16)


@given(at=st.integers(0, 43), value=st.binary(min_size=1, max_size=4))
def test_any_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: bytes
) -> None:
    path = tmp_path_factory.mktemp("header") / "a.wav"
    path.write_bytes(GOOD[:at] + value + GOOD[at + len(value) :])
    with contextlib.suppress(AssessError):
        wav = read_wav(path)
        assert sound(wav).size == wav.frames


def flac(path: Path, frames: int = 12_345) -> Path:
    left = np.arange(frames, dtype=np.int16)
    soundfile.write(path, np.column_stack((left, -left)), 8000, subtype="PCM_16", format="FLAC")
    return path


def test_flac_as_our_own_recordings_are(tmp_path: Path) -> None:
    wav = read_wav(flac(tmp_path / "call.flac"))
    assert (wav.encoding, wav.rate, wav.channels, wav.frames) == ("flac", 8000, 2, 12_345)
    left = np.concatenate(list(wav.pieces(1)))
    assert (left * 32768 == np.arange(12_345)).all()
    assert (np.concatenate(list(wav.pieces(2, seconds=10))) == -left).all()
    assert not np.concatenate(list(wav.pieces(None))).any()
    with pytest.raises(AssessError) as error:
        next(wav.pieces(3))
    assert error.value.code == "audio_channel"


@pytest.mark.parametrize(
    ("keep", "code"), [(4, "audio_format"), (30, "audio_format"), (9000, "audio_truncated")]
)
def test_flac_that_was_cut_off(tmp_path: Path, keep: int, code: str) -> None:
    path = tmp_path / "call.flac"
    noise = np.random.default_rng(1).integers(-9000, 9000, (40_000, 2), dtype=np.int16)
    soundfile.write(path, noise, 8000, subtype="PCM_16", format="FLAC")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(AssessError) as error:
        list(read_wav(path).pieces(1))
    assert error.value.code == code


def test_flac_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssessError) as error:
        read_wav(flac(tmp_path / "call.flac", 0))
    assert error.value.code in ("audio_empty", "audio_format")
