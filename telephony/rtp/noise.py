"""Comfort noise (RFC 3389): what a peer that sends nothing in pauses wants to be heard in them."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np

from telephony.line import FRAME_BYTES, SILENCE
from telephony.rtp.g711 import attenuated

PAYLOAD_TYPE: Final = 13
SILENT: Final = 127
"""The lowest level that can be told, -dBov: nothing is heard of it."""
_FRAMES = 50
_RMS = 8000
_FULL_SCALE = 32767


def noise_level(payload: bytes) -> int | None:
    """The level told in a packet, -dBov (0 to 127); ``None`` if there is none (RFC 3389 §3)."""
    return payload[0] & 0x7F if payload else None


def noise(level: int, number: int) -> bytes:
    """20 ms of white noise at ``level`` -dBov; frame ``number`` of a stream, any integer.

    The spectrum that a packet may tell beside the level is left out (RFC 3389 §3.2 lets it be).
    """
    if level >= SILENT:
        return SILENCE
    # Prime to the number of frames: the same one comes back after a second, never twice in a row.
    start = number * 17 % _FRAMES * FRAME_BYTES
    frame = _second()[start : start + FRAME_BYTES]
    return attenuated(frame, _FULL_SCALE * 10 ** (-level / 20) / _RMS)


@functools.cache
def _second() -> bytes:
    values = np.random.default_rng(3389).normal(0.0, _RMS, _FRAMES * FRAME_BYTES // 2)
    return np.clip(values, -_FULL_SCALE, _FULL_SCALE).astype("<i2").tobytes()
