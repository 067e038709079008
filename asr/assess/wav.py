"""Sound files as telephone systems write them, read piece by piece.

WAV of PCM, float, µ-law and A-law, and FLAC, which our own recordings are.
Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" and its later
WAVE_FORMAT_EXTENSIBLE; ITU-T G.711 for the two laws.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.assess.errors import AssessError

Samples = NDArray[np.float32]
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_RATES = range(4000, 192_001)
_MOST_CHANNELS = 8
_MOST_CHUNKS = 1000
_STREAMED = (0, 0xFFFFFFFF, 0x7FFFFFFF)
"""Data sizes written by those who did not know the length: the data goes on to the file's end."""
_CONVERT = "先转换：ffmpeg -i 原文件 -acodec pcm_s16le 新文件.wav"


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV file's header. ``rate`` in Hz, ``frames`` samples a channel."""

    path: Path
    encoding: str
    rate: int
    channels: int
    frames: int
    _at: int
    _width: int
    _decode: Callable[[bytes], Samples]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / self.rate

    def pieces(self, channel: int | None, seconds: float = 0.1) -> Iterator[Samples]:
        """The sound of ``channel`` (from 1; None: all mixed), -1 to 1, in pieces of ``seconds``.

        Raises `AssessError` ``audio_channel`` or, should the file shrink, ``audio_truncated``.
        """
        _check_channel(self, channel)
        size = self._width * self.channels
        left = self.frames
        with _opened(self.path) as file:
            file.seek(self._at)
            while left:
                count = min(left, max(1, round(self.rate * seconds)))
                data = file.read(count * size)
                if len(data) < count * size:
                    raise AssessError("audio_truncated", f"{self.path} 读到一半没有了")
                samples = self._decode(data).reshape(-1, self.channels)
                yield samples.mean(axis=1) if channel is None else samples[:, channel - 1]
                left -= count


class Flac(Wav):
    """A FLAC file's header."""

    __slots__ = ()

    def pieces(self, channel: int | None, seconds: float = 0.1) -> Iterator[Samples]:
        """As of a WAV file."""
        _check_channel(self, channel)
        left = self.frames
        try:
            with soundfile.SoundFile(self.path) as file:
                while left:
                    count = min(left, max(1, round(self.rate * seconds)))
                    samples = file.read(count, dtype="float32", always_2d=True)
                    if len(samples) < count:
                        raise AssessError("audio_truncated", f"{self.path} 读到一半没有了")
                    yield samples.mean(axis=1) if channel is None else samples[:, channel - 1]
                    left -= count
        except soundfile.SoundFileError:
            raise AssessError("audio_truncated", f"{self.path} 坏了，读到一半读不下去") from None


def _check_channel(wav: Wav, channel: int | None) -> None:
    if channel is not None and not 1 <= channel <= wav.channels:
        raise AssessError("audio_channel", f"{wav.path} 只有 {wav.channels} 个声道")


def read_wav(path: Path) -> Wav:
    """The header of the WAV or FLAC file at ``path``. Raises `AssessError`."""
    with _opened(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(12)
        if head[:4] == b"fLaC":
            return _read_flac(path)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise AssessError("audio_format", f"{path} 不是 WAV 或 FLAC 文件；{_CONVERT}")
        return _read_chunks(file, path, size)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AssessError("audio_missing", f"读不了 {path}（{reason}）") from None


def _read_flac(path: Path) -> Flac:
    try:
        info = soundfile.info(path)
    except soundfile.SoundFileError:
        raise AssessError("audio_format", f"{path} 不是完整的 FLAC 文件；{_CONVERT}") from None
    if info.samplerate not in _RATES or not 1 <= info.channels <= _MOST_CHANNELS:
        raise AssessError("audio_format", f"{path} 的文件头不合理")
    if not info.frames:
        raise AssessError("audio_empty", f"{path} 里没有声音")
    return Flac(path, "flac", info.samplerate, info.channels, info.frames, 0, 0, _no_samples)


def _no_samples(_data: bytes) -> Samples:
    """FLAC is not decoded piece by piece of its bytes."""
    return np.zeros(0, np.float32)


def _read_chunks(file: BinaryIO, path: Path, size: int) -> Wav:
    layout = b""
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = struct.unpack("<4sI", head)
        if name == b"data" and layout:
            return _wav(path, layout, length, file.tell(), size)
        if name == b"fmt ":
            layout = file.read(min(length, 64))
            file.seek(length - len(layout), 1)
        else:
            file.seek(length, 1)
        file.seek(length % 2, 1)
    raise AssessError("audio_format", f"{path} 里没有声音数据；{_CONVERT}")


def _wav(path: Path, layout: bytes, length: int, at: int, size: int) -> Wav:
    try:
        kind, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", layout)
        if kind == _EXTENSIBLE:
            (kind,) = struct.unpack_from("<H", layout, 24)
    except struct.error:
        raise AssessError("audio_format", f"{path} 的文件头不完整") from None
    found = _DECODERS.get((kind, bits))
    if found is None:
        raise AssessError("audio_format", f"{path} 的编码（{kind}，{bits} 位）读不了；{_CONVERT}")
    encoding, decode = found
    width = bits // 8
    if rate not in _RATES or not 1 <= channels <= _MOST_CHANNELS or block != width * channels:
        raise AssessError("audio_format", f"{path} 的文件头不合理")
    there = size - at
    if length in _STREAMED:
        length = there
    if there < length:
        raise AssessError("audio_truncated", f"{path} 不完整：应有 {length} 字节声音，只有 {there}")
    frames = length // block
    if not frames:
        raise AssessError("audio_empty", f"{path} 里没有声音")
    return Wav(path, encoding, rate, channels, frames, at, width, decode)


def _integers(kind: str, offset: int, scale: float) -> Callable[[bytes], Samples]:
    def decode(data: bytes) -> Samples:
        whole = np.frombuffer(data, kind).astype(np.float64)
        samples: Samples = ((whole - offset) / scale).astype(np.float32)
        return samples

    return decode


def _pcm24(data: bytes) -> Samples:
    parts = np.frombuffer(data, "u1").reshape(-1, 3).astype(np.int32)
    whole = (parts[:, 0] << 8) | (parts[:, 1] << 16) | (parts[:, 2] << 24)
    return (whole / 2.0**31).astype(np.float32)


def _floats(kind: str) -> Callable[[bytes], Samples]:
    def decode(data: bytes) -> Samples:
        wild = np.frombuffer(data, kind)
        tame = np.nan_to_num(wild, nan=0.0, posinf=1.0, neginf=-1.0)
        return np.asarray(np.clip(tame, -1.0, 1.0), np.float32)

    return decode


def _mu_law(code: int) -> int:
    code = ~code & 0xFF
    value = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - value if code & 0x80 else value - 0x84


def _a_law(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    value = ((code & 0x0F) << 4) + (8 if segment == 0 else 0x108)
    value <<= max(segment - 1, 0)
    return value if code & 0x80 else -value


def _table(law: Callable[[int], int]) -> Callable[[bytes], Samples]:
    values = np.array([law(code) / 32768 for code in range(256)], np.float32)

    def decode(data: bytes) -> Samples:
        return np.asarray(values[np.frombuffer(data, "u1")])

    return decode


_DECODERS: dict[tuple[int, int], tuple[str, Callable[[bytes], Samples]]] = {
    (_PCM, 8): ("pcm_u8", _integers("u1", 128, 128)),
    (_PCM, 16): ("pcm_s16", _integers("<i2", 0, 2**15)),
    (_PCM, 24): ("pcm_s24", _pcm24),
    (_PCM, 32): ("pcm_s32", _integers("<i4", 0, 2**31)),
    (_FLOAT, 32): ("float32", _floats("<f4")),
    (_FLOAT, 64): ("float64", _floats("<f8")),
    (_A_LAW, 8): ("a-law", _table(_a_law)),
    (_MU_LAW, 8): ("mu-law", _table(_mu_law)),
}
