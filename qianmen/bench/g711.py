"""G.711 A-law (ITU-T G.711, table 1), written for the measurement alone: tables, both ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENCE = 0xD5
"""The code of zero."""


def _decoding() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    mantissa = (code & 0x0F) << 4
    size = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


_LEVELS = _decoding()
_ORDER = np.argsort(_LEVELS, kind="stable")
_SORTED = _LEVELS[_ORDER].astype(np.int32)
_BORDERS = (_SORTED[:-1] + _SORTED[1:]) / 2


def encode(samples: NDArray[np.int16]) -> bytes:
    """16-bit samples as A-law, each by the nearest of the 256 levels."""
    return bytes(_ORDER[np.searchsorted(_BORDERS, samples)].astype(np.uint8).tobytes())


def decode(data: bytes) -> NDArray[np.int16]:
    """A-law as 16-bit samples."""
    return _LEVELS[np.frombuffer(data, dtype=np.uint8)]
