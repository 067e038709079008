"""A call's recording: a stereo WAV, left the caller, right the front door, on one clock.

Sample 0 is the leg's clock 0, so a turn's place in the stream is its place in the file. The header
is set right at every flush: what was written before a crash can be played.

Where the city set a key, the file is sealed when the call is over; one that a crash left plain is
sealed by the keeper later.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
import structlog

from config.volumefaults import volume_fault
from sealing.files import seal_file
from sealing.keys import Keyring
from telephony.line import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ, Frame, Leg

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_CHANNELS = 2
_WIDTH = 2
_FLUSH_FRAMES = 50
_log = structlog.get_logger(__name__)


def wav_header(data_bytes: int) -> bytes:
    """The header of a 16-bit stereo PCM WAV at 8000 Hz with ``data_bytes`` of samples."""
    block = _CHANNELS * _WIDTH
    return _HEADER.pack(
        b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, _CHANNELS,
        SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * block, block, 8 * _WIDTH, b"data", data_bytes,
    )  # fmt: skip


def interleave(caller: bytes, front_door: bytes) -> bytes:
    """Two mono s16le sounds of the same length as one stereo sound."""
    left, right = np.frombuffer(caller, "<i2"), np.frombuffer(front_door, "<i2")
    return np.column_stack((left, right)).astype("<i2").tobytes()


class Recorder:
    """Writes one leg's both sides to ``path``; the disk is touched in ``pool``'s thread only.

    A disk that fails ends the recording, never the call (logged as ``recording_failed``). ``close``
    seals the file with ``keys``.
    """

    def __init__(
        self, leg: Leg, path: Path, pool: ThreadPoolExecutor, keys: Keyring | None = None
    ) -> None:
        self._path = path
        self._keys = keys
        self._pool = pool
        self._sides: tuple[list[bytes], list[bytes]] = ([], [])
        self._file: BinaryIO | None = None
        self._bytes = 0
        self._failed = False
        leg.on_audio(lambda frame: self._take(0, frame))
        leg.on_sent(lambda frame: self._take(1, frame))

    @property
    def duration_ms(self) -> int:
        """How much has been written."""
        return self._bytes // (_CHANNELS * FRAME_BYTES) * FRAME_MS

    async def close(self) -> None:
        """Write what is left, close the file and seal it."""
        self._flush()
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)

    def _take(self, side: int, frame: Frame) -> None:
        self._sides[side].append(frame.pcm)
        if min(len(self._sides[0]), len(self._sides[1])) >= _FLUSH_FRAMES:
            self._flush()

    def _flush(self) -> None:
        count = min(len(self._sides[0]), len(self._sides[1]))
        caller, ours = (b"".join(side[:count]) for side in self._sides)
        for side in self._sides:
            del side[:count]
        if count and not self._failed:
            self._pool.submit(self._write, caller, ours)

    def _write(self, caller: bytes, ours: bytes) -> None:
        if self._failed:
            return
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb")
                self._file.write(wav_header(0))
            data = interleave(caller, ours)
            total = self._bytes + len(data)
            self._file.write(data)
            self._file.seek(0)
            self._file.write(wav_header(total))
            self._file.seek(0, 2)
            self._file.flush()
            self._bytes = total
        except OSError as error:
            self._failed = True
            code = volume_fault(error.errno, "recording_failed")
            _log.error("recording_failed", code=code, errno=error.errno)

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
