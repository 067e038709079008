"""WAV files for tests, in every encoding that telephone systems write."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.assess.wav import _DECODERS

_FORMATS = {"pcm": 1, "float": 3, "a-law": 6, "mu-law": 7}


def riff(
    data: bytes, kind: int, channels: int, rate: int, bits: int, *, size: int | None = None,
    before: bytes = b"",
) -> bytes:  # fmt: skip
    """A WAV file around ``data``; ``size`` is what its header claims, ``before`` other chunks."""
    block = channels * bits // 8
    layout = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    claimed = len(data) if size is None else size
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", claimed) + data
    return b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


def encoded(samples: NDArray[np.float64], kind: str, bits: int) -> bytes:
    """``samples`` (-1 to 1) as a WAV file's data."""
    if kind == "float":
        return bytes(samples.astype(f"<f{bits // 8}").tobytes())
    if kind == "pcm":
        scaled = np.clip(
            np.round(samples * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        )
        if bits == 8:
            return bytes((scaled + 128).astype("u1").tobytes())
        wide = scaled.astype("<i8").view("u1").reshape(-1, 8)
        return bytes(wide[:, : bits // 8].tobytes())
    # the code whose value is nearest; the values themselves are checked against G.711
    values = _DECODERS[(_FORMATS[kind], 8)][1](bytes(range(256)))
    return bytes(int(np.abs(values - sample).argmin()) for sample in samples)


def write_wav(
    path: Path, pcm: bytes, *, kind: str = "pcm", bits: int = 16, rate: int = 8000,
    channels: int = 1, channel: int = 1,
) -> Path:  # fmt: skip
    """``pcm`` (s16le, mono, at ``rate``) as a WAV file; other channels than ``channel`` silent."""
    mono = np.frombuffer(pcm, "<i2") / 32768
    samples = np.zeros((len(mono), channels))
    samples[:, channel - 1] = mono
    data = encoded(samples.reshape(-1), kind, bits)
    path.write_bytes(riff(data, _FORMATS[kind], channels, rate, bits))
    return path
