"""What pyVoIP's sound threads write to and read from, in place of its own buffers.

Its own grow as long as the call lasts (RTP.py 166, 196), lose everything on one odd timestamp and
fill up with silence that cannot be told from sound. Written by one thread, read by another: single
operations on a ``deque`` are atomic.
"""

from __future__ import annotations

from collections import deque

from telephony.line import FRAME_MS, FRAME_SAMPLES
from telephony.pyvoip.eightbit import SILENCE_8_BIT

_LEAD_FRAMES = 2
_INLET_FRAMES = 10
_OUTLET_FRAMES = 10
_SLACK_FRAMES = 2
SILENT_FRAME = bytes([SILENCE_8_BIT]) * FRAME_SAMPLES


class Inlet:
    """Stands for ``RTPClient.pmin``: sound received, in the order in which it came."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=_INLET_FRAMES)
        self._rest = b""
        self._flows = False

    def write(self, offset: int, data: bytes) -> None:  # noqa: ARG002  # pyVoIP's signature
        """Called by pyVoIP for every packet."""
        data = self._rest + data
        whole = len(data) // FRAME_SAMPLES * FRAME_SAMPLES
        for at in range(0, whole, FRAME_SAMPLES):
            self._frames.append(data[at : at + FRAME_SAMPLES])
        self._rest = data[whole:]

    def take(self) -> bytes | None:
        """20 ms, or ``None`` where nothing came; begins with a lead of 40 ms."""
        if not self._flows and len(self._frames) < _LEAD_FRAMES:
            return None
        self._flows = bool(self._frames)
        return self._frames.popleft() if self._frames else None

    @property
    def waiting_ms(self) -> int:
        """How much waits to be heard."""
        return len(self._frames) * FRAME_MS


class Outlet:
    """Stands for ``RTPClient.pmout``: sound to be sent.

    pyVoIP's sender is late by up to 7 ms a second (0.41 s a minute): silence is left out then.
    """

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=_OUTLET_FRAMES)

    def put(self, frame: bytes | None) -> None:
        """The next 20 ms, 8 bit; ``None`` is silence."""
        if frame is not None:
            self._frames.append(frame)
        elif len(self._frames) < _SLACK_FRAMES:
            self._frames.append(SILENT_FRAME)

    def read(self, length: int = FRAME_SAMPLES) -> bytes:
        """Called by pyVoIP's sender every 20 ms."""
        try:
            return self._frames.popleft()
        except IndexError:
            return SILENT_FRAME[:length]
