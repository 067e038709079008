"""What one party of a conference hears: the sum of the others, never clipped. Pure.

Frames are s16le PCM of 20 ms. Parties tick at moments of their own, so each source has a queue of
two frames: the oldest goes when a source runs ahead, silence stands in when it falls behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence

import numpy as np

from telephony.line import FRAME_SAMPLES

QUEUED_FRAMES = 2
RECOVERY = 1.02
"""The gain comes back by this factor a frame: 20 dB in 2.3 s, too slow to be heard pumping."""
_FULL_SCALE = 32767.0
_FADE_SAMPLES = 32


class Mixer:
    """Takes frames of any number of sources, gives one frame for each tick of the party."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[bytes]] = {}
        self._limiter = Limiter()

    def put(self, source: Hashable, pcm: bytes) -> None:
        """``source`` said this."""
        queue = self._queues.get(source)
        if queue is None:
            queue = self._queues[source] = deque(maxlen=QUEUED_FRAMES)
        queue.append(pcm)

    def drop(self, source: Hashable) -> None:
        """``source`` is gone, with what waits of it. No effect if it was never there."""
        self._queues.pop(source, None)

    def clear(self) -> None:
        """Everybody is gone."""
        self._queues.clear()

    def take(self) -> bytes | None:
        """The next 20 ms; ``None`` if nobody has any. A single source comes through as it is."""
        frames = [queue.popleft() for queue in self._queues.values() if queue]
        if not frames:
            return None
        return frames[0] if len(frames) == 1 else self._limiter.sum(frames)


class Limiter:
    """Adds sounds and turns the whole down as far as its peaks need, at once; up again slowly."""

    def __init__(self) -> None:
        self._gain = 1.0

    def sum(self, frames: Sequence[bytes]) -> bytes:
        """The sum of frames of the same length."""
        total = np.zeros(len(frames[0]) // 2, dtype=np.float64)
        for frame in frames:
            total += np.frombuffer(frame, dtype="<i2")
        before = self._gain
        wanted = min(before * RECOVERY, 1.0)
        peak = float(np.abs(total).max(initial=0.0))
        self._gain = min(wanted, _FULL_SCALE / peak) if peak else wanted
        total *= self._gain
        if self._gain < before:
            _glide(total, before / self._gain)
        return np.clip(total, -_FULL_SCALE, _FULL_SCALE).astype("<i2").tobytes()


def _glide(samples: np.ndarray[tuple[int], np.dtype[np.float64]], ratio: float) -> None:
    """Come from the louder gain of the frame before without a step; peaks there are clipped."""
    length = min(_FADE_SAMPLES, len(samples), FRAME_SAMPLES)
    samples[:length] *= np.linspace(ratio, 1.0, length)
