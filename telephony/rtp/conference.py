"""Streams joined: each hears the sum of the others; two of them are a plain relay."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from telephony.line import Frame, FrameSink
from telephony.rtp.playback import QueuedPlayback
from telephony.rtp.stream import MediaStream


class Conference:
    """Any number of streams that hear each other, until ``stop``.

    What a party hears of the others leaves with its own next tick: one frame later at most.
    Keys pressed by one are sent to the others. Sinks of every stream go on being fed.
    """

    def __init__(self, streams: Iterable[MediaStream] = ()) -> None:
        self._sinks: dict[MediaStream, FrameSink] = {}
        self._muted: set[MediaStream] = set()
        for stream in streams:
            self.add(stream)

    @property
    def streams(self) -> tuple[MediaStream, ...]:
        """Who takes part, in the order they came."""
        return tuple(self._sinks)

    def add(self, stream: MediaStream) -> None:
        """``stream`` hears the others and is heard by them. No effect if it does already."""
        if stream in self._sinks:
            return
        sink = self._relay_from(stream)
        self._sinks[stream] = sink
        stream.heard.add(sink)
        stream.on_key(self._press)

    def remove(self, stream: MediaStream) -> None:
        """Part it from the others, who go on. No effect if it does not take part."""
        sink = self._sinks.pop(stream, None)
        if sink is None:
            return
        self._muted.discard(stream)
        stream.heard.remove(sink)
        stream.on_key(None)
        stream.mixer.clear()
        for other in self._sinks:
            other.mixer.drop(stream)

    def mute(self, stream: MediaStream, muted: bool = True) -> None:
        """Whether the others hear nothing of ``stream``, keys neither; it still hears them."""
        if muted and stream in self._sinks:
            self._muted.add(stream)
        else:
            self._muted.discard(stream)

    def muted(self, stream: MediaStream) -> bool:
        """Whether it is muted."""
        return stream in self._muted

    def whisper(self, stream: MediaStream, pcm: bytes) -> QueuedPlayback:
        """Let ``stream`` alone hear ``pcm``, over the others, who are softer meanwhile."""
        return stream.whisper(pcm)

    def stop(self) -> None:
        """Part them all; they live on."""
        for stream in self.streams:
            self.remove(stream)

    def _relay_from(self, stream: MediaStream) -> Callable[[Frame], None]:
        def relay(frame: Frame) -> None:
            if stream in self._muted:
                return
            for other in self._sinks:
                if other is not stream:
                    other.mixer.put(stream, frame.pcm)

        return relay

    def _press(self, stream: MediaStream, key: str) -> None:
        if stream not in self._muted:
            for other in self._sinks:
                if other is not stream:
                    other.send_digits(key)
