"""Sound as pyVoIP has it: unsigned 8 bit linear, 8000 Hz. Its G.711 knows no more."""

from __future__ import annotations

import numpy as np

SILENCE_8_BIT = 0x80


def to_8_bit(pcm: bytes) -> bytes:
    """s16le as unsigned 8 bit, rounded: what pyVoIP's `write_audio` takes."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32)
    rounded = np.clip((samples + 128) >> 8, -128, 127) + 128
    return bytes(rounded.astype(np.uint8).tobytes())


def to_16_bit(data: bytes) -> bytes:
    """Unsigned 8 bit, as pyVoIP receives, as s16le."""
    samples = np.frombuffer(data, dtype=np.uint8).astype(np.int16)
    return bytes(((samples - 128) << 8).astype("<i2").tobytes())
