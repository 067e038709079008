"""What waits to be played on a leg, and how much of each piece has been sent."""

from __future__ import annotations

import asyncio
from collections import deque

from telephony.line import FRAME_BYTES, FRAME_MS


class QueuedPlayback:
    """One piece of s16le PCM; fulfils ``telephony.line.Playback``."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm
        self._at = 0
        self._done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def done(self) -> asyncio.Future[int]:
        """Resolves to the ms sent."""
        return self._done

    @property
    def heard_ms(self) -> int:
        """ms sent so far."""
        return self._at // FRAME_BYTES * FRAME_MS

    def stop(self) -> int:
        """Send nothing more of it; returns the ms sent."""
        self._pcm = b""
        self._finish()
        return self.heard_ms

    @property
    def over(self) -> bool:
        """Whether there is nothing left to send."""
        return self._at >= len(self._pcm)

    def take(self) -> bytes:
        """The next 20 ms; call only while not ``over``."""
        frame = self._pcm[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        if self.over:
            self._finish()
        return frame.ljust(FRAME_BYTES, b"\0")

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(self.heard_ms)


class PlaybackQueue:
    """Pieces play one after the other."""

    def __init__(self) -> None:
        self._pieces: deque[QueuedPlayback] = deque()
        self._closed = False

    def play(self, pcm: bytes) -> QueuedPlayback:
        """Queue ``pcm``. After ``close`` the piece is done at once."""
        piece = QueuedPlayback(pcm)
        if self._closed or not pcm:
            piece.stop()
        else:
            self._pieces.append(piece)
        return piece

    def take(self) -> bytes | None:
        """The next 20 ms of what plays, or ``None``."""
        while self._pieces and self._pieces[0].over:
            self._pieces.popleft()
        return self._pieces[0].take() if self._pieces else None

    def close(self) -> None:
        """End every piece where it is."""
        self._closed = True
        for piece in self._pieces:
            piece.stop()
        self._pieces.clear()
