"""Whether what comes in is our own sound coming back: by likeness of the two waves. Pure.

A telephone network's echo cancellers leave little, a loudspeaker in a room more. What comes back is
what we sent, later and softer; another voice is like it nowhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from telephony.line import SILENCE, Frame

WINDOW_FRAMES = 10
"""200 ms of what came in are compared …"""
HISTORY_FRAMES = 40
"""… with 800 ms of what we sent: echo comes back up to 600 ms later."""
LIKE = 0.5
"""Correlation from which it is echo. Measured against our prompts: recorded callers 0.16, one in a
hundred windows over 0.46; echo 10 to 30 dB below through A-law 0.8 to 0.99, through a room 0.6, one
in fifty windows below 0.45. A window that is wrong costs a caller one more look, 0.1 s later."""
SILENT_RMS = 30.0


class Echo:
    """Remembers a moment of both directions of one call."""

    def __init__(self) -> None:
        self._sent = deque([SILENCE] * HISTORY_FRAMES, HISTORY_FRAMES)
        self._came = deque([SILENCE] * WINDOW_FRAMES, WINDOW_FRAMES)

    def sent(self, frame: Frame) -> None:
        """20 ms that we sent."""
        self._sent.append(frame.pcm)

    def came(self, frame: Frame) -> None:
        """20 ms that came in."""
        self._came.append(frame.pcm)

    def likeness(self) -> float:
        """How like the last moment that came in is to anything that we sent lately, 0 to 1."""
        came = _samples(self._came)
        energy = float(came @ came)
        if energy < len(came) * SILENT_RMS**2:
            return 0.0
        sent = _samples(self._sent)
        size = 1 << (len(sent) + len(came) - 1).bit_length()
        spectrum = np.fft.rfft(sent, size) * np.conj(np.fft.rfft(came, size))
        places = len(sent) - len(came) + 1
        products = np.fft.irfft(spectrum, size)[:places]
        squares = np.concatenate(([0.0], np.cumsum(sent.astype(np.float64) ** 2)))
        energies = squares[len(came) :] - squares[: -len(came)]
        floor = len(came) * SILENT_RMS**2
        return float(np.max(np.abs(products) / np.sqrt(np.maximum(energies, floor) * energy)))

    def is_echo(self) -> bool:
        """Whether what comes in is ours."""
        return self.likeness() >= LIKE


def _samples(frames: Iterable[bytes]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(frames), "<i2").astype(np.float32)
