"""When has the other side finished a sentence? Pure: sound in, the state out, no clock of its own.

Sound is 16-bit signed little-endian PCM, 8000 Hz, mono; time is counted in its samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 8000
FRAME_BYTES = 320
FRAME_S = 0.02
_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """How the ear tells speech from silence; levels in dBFS, times in s.

    ``pause_s`` is how long it must be quiet before a sentence counts as finished; ``onset_s`` how
    much sound it takes before anything counts as speech: a click is none.
    """

    level_dbfs: float = -45.0
    pause_s: float = 0.9
    onset_s: float = 0.06


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech, in s from the first sample heard."""

    start_s: float
    end_s: float


def level_dbfs(frame: bytes) -> float:
    """The frame's level without its direct current, dBFS; silence is -120."""
    samples = np.frombuffer(frame, dtype="<i2").astype(np.float64)
    if not len(samples):
        return -120.0
    rms = float(samples.std()) / _FULL_SCALE
    return max(-120.0, 20.0 * float(np.log10(max(rms, 1e-6))))


class Ear:
    """Fed with sound, knows what was said when, and whether somebody still speaks."""

    def __init__(self, hearing: Hearing | None = None) -> None:
        self._hearing = hearing or Hearing()
        self._rest = b""
        self._start: float | None = None
        self._last = 0.0
        self._loud_s = 0.0
        self._finished: list[Utterance] = []
        self.heard_s = 0.0

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """The finished ones."""
        return tuple(self._finished)

    @property
    def speaking(self) -> bool:
        """Somebody speaks, or paused for less than ``pause_s``."""
        return self._start is not None

    @property
    def quiet_s(self) -> float:
        """How long nothing was heard; 0 while somebody speaks."""
        if self.speaking:
            return 0.0
        return self.heard_s - (self._finished[-1].end_s if self._finished else 0.0)

    def feed(self, pcm: bytes) -> tuple[Utterance, ...]:
        """Hear ``pcm`` of any length; what has finished by it."""
        before = len(self._finished)
        sound = self._rest + pcm
        whole = len(sound) - len(sound) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            self._hear(level_dbfs(sound[start : start + FRAME_BYTES]))
        self._rest = sound[whole:]
        return tuple(self._finished[before:])

    def _hear(self, level: float) -> None:
        began = self.heard_s
        self.heard_s = began + FRAME_S
        if level < self._hearing.level_dbfs:
            self._loud_s = 0.0
            self._rest_a_frame()
            return
        self._loud_s += FRAME_S
        if self._start is not None:
            self._last = self.heard_s
        elif self._loud_s >= self._hearing.onset_s - FRAME_S / 2:
            self._start = max(0.0, self.heard_s - self._loud_s)
            self._last = self.heard_s

    def _rest_a_frame(self) -> None:
        """A quiet frame: half a frame of tolerance keeps the sum of floats honest."""
        if self._start is None:
            return
        if self.heard_s - self._last >= self._hearing.pause_s - FRAME_S / 2:
            self._finished.append(Utterance(self._start, self._last))
            self._start = None
