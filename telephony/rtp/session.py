"""The media of one leg from its port to its end: before, while and after a stream runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from telephony import metrics
from telephony.line import SAMPLE_RATE_HZ
from telephony.rtp.engine import MediaEngine
from telephony.rtp.playback import PlaybackQueue, QueuedPlayback
from telephony.rtp.ports import MediaSockets, PortPool
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream

log = structlog.get_logger(__name__)


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
        self._told = False
        self._sockets: MediaSockets | None = None

    def open(self) -> int:
        """Take a port, once; returns it. Raises ``LineError("no_media_port")``."""
        if self._sockets is None:
            self._sockets = self._ports.open()
        port: int = self._sockets.rtp.getsockname()[1]
        return port

    def start(self, plan: MediaPlan, signalling_host: str) -> None:
        """Start the clock, or change what runs to ``plan``. The port must be open."""
        if self.stream is not None:
            self.stream.replan(plan)
            return
        assert self._sockets is not None  # noqa: S101  # the SDP that led here named the port
        self.stream = MediaStream(
            plan,
            signalling_host,
            self._playback,
            self.heard,
            self.sent,
            self._on_digit,
            self._counters,
        )
        self._engine.add(self.stream, self._sockets)

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
            if not self._told:
                self._told = True
                _tell(self.stream)
        if self._sockets is not None:
            self._ports.release(self._sockets)
            self._sockets = None
        self._playback.close()
        self.heard.clear()
        self.sent.clear()


def _tell(stream: MediaStream) -> None:
    """How the network was, to the log and the metrics."""
    heard, peer = stream.jitter, stream.reports.peer
    reception = stream.reports.reception
    jitter_ms = reception.jitter * 1000 / SAMPLE_RATE_HZ if reception else 0.0
    metrics.media_over(peer.loss_ratio if peer else None, peer.round_trip_ms if peer else None)
    log.info(
        "media_ended",
        received=heard.received, lost=heard.lost, late=heard.late, jitter_ms=round(jitter_ms, 1),
        peer_lost=peer.lost if peer else None,
        peer_jitter_ms=round(peer.jitter_ms, 1) if peer else None,
        round_trip_ms=round(peer.round_trip_ms, 1) if peer and peer.round_trip_ms else None,
    )  # fmt: skip
