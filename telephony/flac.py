"""A FLAC file that can be played while it grows, and after a crash.

The encoder is libsndfile's. It would name the file's length at the end only; players take a file
without one for endless and cannot seek in it. So the length is set right after every write: 36
bits of STREAMINFO (RFC 9639 §8.2), which count what whole frames hold.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from telephony.line import SAMPLE_RATE_HZ

CHANNELS = 2
BLOCK_SAMPLES = 1152
"""What libFLAC's lowest level puts in a frame: 144 ms."""
_TOTAL_AT = 18
"""Of STREAMINFO, after "fLaC" and the block's header: rate, channels, bits and, last, the total."""
_TOTAL_BYTES = 8
_TOTAL_MASK = (1 << 36) - 1


class FlacFile:
    """16-bit stereo at 8000 Hz. Of one thread at a time. The constructor raises OSError."""

    def __init__(self, path: Path) -> None:
        self._raw = _Raw(path)
        # The lowest level: telephone sound gets 3 % smaller at the usual one, for 30 % more time.
        self._sound = soundfile.SoundFile(
            self._raw, "w", SAMPLE_RATE_HZ, CHANNELS, "PCM_16", format="FLAC", compression_level=0.0
        )
        self._written = 0
        if self._raw.error is not None:
            self.close()

    @property
    def samples(self) -> int:
        """How many a channel were written."""
        return self._written

    def write(self, stereo: NDArray[np.int16]) -> None:
        """Add sound of shape (samples, 2). Raises OSError."""
        self._sound.write(stereo)
        self._raise()
        self._written += len(stereo)
        # The encoder sends a frame off when the first sample of the next one is there.
        self._raw.set_total(max(self._written - 1, 0) // BLOCK_SAMPLES * BLOCK_SAMPLES)
        self._raise()

    def close(self) -> None:
        """Write the last frame and the header. Raises OSError."""
        try:
            self._sound.close()
            self._raise()
        finally:
            self._raw.close()

    def _raise(self) -> None:
        if self._raw.error is not None:
            raise self._raw.error


class _Raw:
    """The file as libsndfile uses it. Nothing is raised through C code: ``error`` keeps it."""

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self._file = path.open("w+b", buffering=0)

    def write(self, data: bytes) -> int:
        """All of it, or ``error`` is set."""
        rest = memoryview(data)
        try:
            while rest and self.error is None:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            self.error = error
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """The new place."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.error = self.error or error
            return 0

    def tell(self) -> int:
        """The place."""
        return self.seek(0, io.SEEK_CUR)

    def read(self, size: int) -> bytes:
        """Bytes of the file."""
        try:
            return self._file.read(size) or b""
        except OSError as error:
            self.error = self.error or error
            return b""

    def set_total(self, samples: int) -> None:
        """Write the length into the header; the place to write next stays."""
        try:
            head = os.pread(self._file.fileno(), _TOTAL_BYTES, _TOTAL_AT)
            if len(head) == _TOTAL_BYTES:
                value = int.from_bytes(head, "big") & ~_TOTAL_MASK | samples
                os.pwrite(self._file.fileno(), value.to_bytes(_TOTAL_BYTES, "big"), _TOTAL_AT)
        except OSError as error:
            self.error = self.error or error

    def close(self) -> None:
        """Close it."""
        self._file.close()
