"""Telephone-events, that is keys pressed, as RTP payload (RFC 4733)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

KEYS = "0123456789*#ABCD"
"""The key at position n is event code n (RFC 4733 §3.2)."""

_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
_VOLUME = 10
_TONE_FRAMES = 5
_PAUSE_FRAMES = 3
_END_REPEATS = 2
_FRAME_UNITS = 160
_REMEMBERED = 8
_LONGEST = 0xFFFF
_SEGMENT_SLACK = 2400


class EventReceiver:
    """Takes each press once, whichever of its packets arrive, in whatever order."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)
        self._open: tuple[int, int, int] | None = None

    def receive(self, payload: bytes, timestamp: int) -> str | None:
        """The key, if this payload is the first that is seen of its press; else ``None``."""
        if len(payload) < _PAYLOAD.size:
            return None
        code, flags, duration = _PAYLOAD.unpack_from(payload)
        if code >= len(KEYS):
            return None
        known = timestamp in self._seen or self._continues(code, timestamp, duration)
        if timestamp not in self._seen:
            self._seen.append(timestamp)
        self._open = None if flags & _END else (code, timestamp, duration)
        return None if known else KEYS[code]

    def _continues(self, code: int, timestamp: int, duration: int) -> bool:
        if self._open is None or self._open[0] != code:
            return False
        _, began, lasted = self._open
        if duration > lasted:
            # Some senders move the timestamp on with every packet of one press.
            return True
        # The next segment of a press that is longer than a duration can be (RFC 4733 §2.5.1.3).
        step = (timestamp - began) & 0xFFFFFFFF
        return lasted >= _LONGEST - _SEGMENT_SLACK and abs(step - _LONGEST) <= _SEGMENT_SLACK


@dataclass(frozen=True, slots=True)
class EventPayload:
    """One packet of a press; ``first`` opens it (marker bit, and a new RTP timestamp)."""

    payload: bytes
    first: bool


class EventSender:
    """Turns keys into payloads, one for each 20 ms tick: 100 ms of tone, 60 ms of pause."""

    def __init__(self) -> None:
        self._keys: deque[int] = deque()
        self._frame = 0

    def send(self, keys: str) -> None:
        """Queue ``keys``. Raises ``ValueError`` if one of them is no key."""
        self._keys.extend([KEYS.index(key) for key in keys.upper()])

    @property
    def busy(self) -> bool:
        """Whether a press is under way or waits."""
        return bool(self._keys)

    def tick(self) -> EventPayload | None:
        """What to send in this frame; ``None`` in the last frame of a pause."""
        if not self._keys:
            return None
        code, frame = self._keys[0], self._frame
        self._frame += 1
        if self._frame == _TONE_FRAMES + _PAUSE_FRAMES:
            self._keys.popleft()
            self._frame = 0
        if frame >= _TONE_FRAMES + _END_REPEATS:
            return None
        length = min(frame + 1, _TONE_FRAMES)
        flags = _VOLUME | (_END if length == _TONE_FRAMES else 0)
        return EventPayload(_PAYLOAD.pack(code, flags, length * _FRAME_UNITS), frame == 0)
