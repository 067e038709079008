"""Where speech ends and where it begins, to the sample. Pure; 8000 Hz, 16 bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATE = 8000
FRAME = 160
_BLOCK = 80
_STILL_NS = 100_000_000
_BELOW_LOUDEST_DB = 35.0
AUDIBLE = 164
"""Amplitude of -46 dBFS: softer is silence on a telephone."""

Samples = NDArray[np.int16]


def until_last_speech(samples: Samples) -> Samples:
    """``samples`` up to the end of the last 10 ms that are within 35 dB of the loudest."""
    if not len(samples):
        return samples
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % _BLOCK))
    power = (padded.reshape(-1, _BLOCK) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_BELOW_LOUDEST_DB / 10))
    return samples[: (int(loud[-1]) + 1) * _BLOCK] if len(loud) else samples[:0]


def first_audible(samples: Samples) -> int | None:
    """Index of the first sample that can be heard; None where all is silence."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > AUDIBLE)
    return int(loud[0]) if len(loud) else None


def stopped_ms(heard_ns: Sequence[int], onset_ns: int, ended_ns: int) -> float | None:
    """How long after ``onset_ns`` the last sound of ``heard_ns`` (arrivals) was heard, ms.

    Not under 0; None where it went on to within `_STILL_NS` of ``ended_ns``.
    """
    last_ns = max(heard_ns, default=onset_ns)
    if last_ns > ended_ns - _STILL_NS:
        return None
    return max(last_ns - onset_ns, 0) / 1e6


def answer_ms(
    *, sent_ns: int, speech_in_packet: int, received_ns: int, sound_in_packet: int
) -> float:
    """From the last spoken sample to the first answering one, ms.

    A telephone sends a packet when its last sample was spoken: sample ``i`` of 160 was spoken
    (160 - i) / 8000 s before ``sent_ns``. It plays a packet from its arrival on: sample ``i``
    is heard i / 8000 s after ``received_ns``. ``speech_in_packet`` counts the spoken samples of
    the packet that carries the last one (1 to 160).
    """
    spoken = sent_ns / 1e6 - (FRAME - speech_in_packet) * 1000 / RATE
    heard = received_ns / 1e6 + sound_in_packet * 1000 / RATE
    return heard - spoken
