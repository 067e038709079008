"""A call's recording: stereo FLAC, left the caller, right the front door, on one clock.

Sample 0 is the leg's clock 0, so a turn's place in the stream is its place in the file. Written
while the call runs: after a crash all but its last second can be played. FLAC because it is
lossless (the recording is evidence, and what a speech model is judged by) at a third of PCM's size.

Where the city set a key, the file is sealed when the call is over; one that a crash left plain is
sealed by the keeper later.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import structlog

from config.volumefaults import volume_fault
from sealing.files import seal_file
from sealing.keys import Keyring
from telephony.flac import FlacFile
from telephony.line import FRAME_MS, FRAME_SAMPLES, Frame, Leg

SUFFIX = ".flac"
FLUSH_FRAMES = 40
"""With the encoder's 144 ms less than a second is lost in a crash."""
MAX_WAITING = 75
"""Flushes, 60 s of sound: a disk that is further behind ends the recording."""
_log = structlog.get_logger(__name__)


class Recorder:
    """Writes one leg's both sides to ``path``; the disk is touched in ``pool``'s thread only.

    A disk that fails ends the recording, never the call (logged as ``recording_failed``). ``close``
    seals the file with ``keys``. ``pool`` has one thread, which keeps the order.
    """

    def __init__(
        self, leg: Leg, path: Path, pool: ThreadPoolExecutor, keys: Keyring | None = None
    ) -> None:
        self._path = path
        self._keys = keys
        self._pool = pool
        self._sides: tuple[list[bytes], list[bytes]] = ([], [])
        self._file: FlacFile | None = None
        self._submitted = 0
        self._taken = 0  # by the thread: two counters, each of one side, need no lock
        self._failed = False
        self._samples = 0
        leg.on_audio(lambda frame: self._take(0, frame))
        leg.on_sent(lambda frame: self._take(1, frame))

    @property
    def duration_ms(self) -> int:
        """How much has been written."""
        return self._samples // FRAME_SAMPLES * FRAME_MS

    async def close(self) -> None:
        """Write what is left, close the file and seal it."""
        self._flush()
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)

    def _take(self, side: int, frame: Frame) -> None:
        self._sides[side].append(frame.pcm)
        if min(len(self._sides[0]), len(self._sides[1])) >= FLUSH_FRAMES:
            self._flush()

    def _flush(self) -> None:
        count = min(len(self._sides[0]), len(self._sides[1]))
        caller, ours = (b"".join(side[:count]) for side in self._sides)
        for side in self._sides:
            del side[:count]
        if self._submitted - self._taken >= MAX_WAITING:
            self._fail("disk_slow", None)
        if count and not self._failed:
            self._submitted += 1
            self._pool.submit(self._write, caller, ours)

    def _write(self, caller: bytes, ours: bytes) -> None:
        self._taken += 1
        if self._failed:
            return
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = FlacFile(self._path)
            left, right = np.frombuffer(caller, "<i2"), np.frombuffer(ours, "<i2")
            self._file.write(np.column_stack((left, right)))
            self._samples = self._file.samples
        except OSError as error:
            self._fail(volume_fault(error.errno, "recording_failed"), error.errno)

    def _fail(self, code: str, number: int | None) -> None:
        if not self._failed:
            self._failed = True
            _log.error("recording_failed", code=code, errno=number)

    def _close(self) -> None:
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # a full disk again, with what could not be written
            self._file.close()
        self._file = None
        try:
            if self._keys is not None:
                seal_file(self._path, self._keys)
        except OSError as error:
            _log.error("recording_not_sealed", code="recording_not_sealed", errno=error.errno)
