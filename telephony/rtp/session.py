"""The media of one leg from its port to its end: before, while and after a stream runs."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable

from telephony.rtp.engine import MediaEngine
from telephony.rtp.playback import PlaybackQueue, QueuedPlayback
from telephony.rtp.ports import PortPool
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream


class MediaSession:
    """Holds the port; starts the stream once offer and answer are known."""

    def __init__(
        self,
        engine: MediaEngine,
        ports: PortPool,
        counters: Counter[str],
        on_digit: Callable[[str, int], None],
    ) -> None:
        self.heard = Sinks()
        self.sent = Sinks()
        self.stream: MediaStream | None = None
        self._engine = engine
        self._ports = ports
        self._counters = counters
        self._on_digit = on_digit
        self._playback = PlaybackQueue()
        self._sock: socket.socket | None = None

    def open(self) -> int:
        """Take a port, once; returns it. Raises ``LineError("no_media_port")``."""
        if self._sock is None:
            self._sock = self._ports.open()
        port: int = self._sock.getsockname()[1]
        return port

    def start(self, plan: MediaPlan, signalling_host: str) -> None:
        """Start the clock, or change what runs to ``plan``. The port must be open."""
        if self.stream is not None:
            self.stream.replan(plan)
            return
        assert self._sock is not None  # noqa: S101  # the SDP that led here named the port
        self.stream = MediaStream(
            plan,
            signalling_host,
            self._playback,
            self.heard,
            self.sent,
            self._on_digit,
            self._counters,
        )
        self._engine.add(self.stream, self._sock)

    @property
    def clock_ms(self) -> int:
        """The stream's clock, 0 before it starts."""
        return self.stream.clock_ms if self.stream else 0

    @property
    def silent_ms(self) -> int:
        """For how long no packet of the other side has come, on the clock."""
        return self.stream.silent_ms if self.stream else 0

    def play(self, pcm: bytes) -> QueuedPlayback:
        """Queue sound, also before the start and, to no effect, after the end."""
        return self._playback.play(pcm)

    def close(self) -> None:
        """Silence at once; the port is free again, no sink is kept."""
        if self.stream is not None:
            self._engine.remove(self.stream)
            self.stream.close()
        if self._sock is not None:
            self._ports.release(self._sock)
            self._sock = None
        self._playback.close()
        self.heard.clear()
        self.sent.clear()
