"""G.711 (ITU-T G.711) to and from 16-bit linear PCM; never by way of 8-bit linear."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

with warnings.catch_warnings():
    # audioop left the standard library in 3.13, where the audioop-lts package stands in for it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop


def _encode_alaw(pcm: bytes) -> bytes:
    return audioop.lin2alaw(pcm, 2)


def _decode_alaw(payload: bytes) -> bytes:
    return audioop.alaw2lin(payload, 2)


def _encode_ulaw(pcm: bytes) -> bytes:
    return audioop.lin2ulaw(pcm, 2)


def _decode_ulaw(payload: bytes) -> bytes:
    return audioop.ulaw2lin(payload, 2)


@dataclass(frozen=True, slots=True)
class Codec:
    """One G.711 law: ``encode`` takes s16le PCM, ``decode`` gives it; one byte a sample."""

    name: str
    payload_type: int
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


PCMU = Codec("PCMU", 0, _encode_ulaw, _decode_ulaw)
PCMA = Codec("PCMA", 8, _encode_alaw, _decode_alaw)
CODECS = {codec.name: codec for codec in (PCMA, PCMU)}
"""By the encoding name of RFC 3551, in our order of preference."""


def loudness(pcm: bytes) -> int:
    """Root mean square of s16le PCM, 0 to 32767."""
    return audioop.rms(pcm, 2)


def attenuated(pcm: bytes, factor: float) -> bytes:
    """The same s16le PCM with every sample multiplied by ``factor``."""
    return audioop.mul(pcm, 2, factor)


def added(a: bytes, b: bytes) -> bytes:
    """The sum of two s16le sounds of the same length, at full scale where it would go beyond."""
    return audioop.add(a, b, 2)
