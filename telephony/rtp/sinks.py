"""Who is given the frames of one direction of a leg."""

from __future__ import annotations

import structlog

from telephony.line import Frame, FrameSink

log = structlog.get_logger(__name__)


class Sinks:
    """A list of sinks; one that raises is removed and logged, the media goes on."""

    def __init__(self) -> None:
        self._sinks: list[FrameSink] = []

    def add(self, sink: FrameSink) -> None:
        """``sink`` gets every frame from now on."""
        self._sinks.append(sink)

    def remove(self, sink: FrameSink) -> None:
        """``sink`` gets nothing more. No effect if it was not there."""
        if sink in self._sinks:
            self._sinks.remove(sink)

    def feed(self, frame: Frame) -> None:
        """Give ``frame`` to all."""
        for sink in tuple(self._sinks):
            try:
                sink(frame)
            except Exception:  # another room's sink must not stop the media
                log.exception("frame_sink_failed")
                self.remove(sink)

    def clear(self) -> None:
        """Drop them all."""
        self._sinks.clear()
