"""Legs of this line in one conference; fulfils ``telephony.line.Conference``."""

from __future__ import annotations

from telephony.line import Leg, LineError, Playback
from telephony.rtp.conference import Conference
from telephony.rtp.stream import MediaStream
from telephony.sip.leg import SipLeg


class LegConference:
    """Joins answered legs; one that ends is removed by itself."""

    def __init__(self) -> None:
        self._media = Conference()
        self._streams: dict[SipLeg, MediaStream] = {}

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Who takes part."""
        return tuple(self._streams)

    def add(self, leg: Leg) -> None:
        """``leg`` hears the others; it leaves the conference that it was in."""
        if not isinstance(leg, SipLeg):
            raise LineError("not_answered", "this leg is of another line")
        stream = leg.media.stream
        if leg.ended or stream is None:
            raise LineError("not_answered", "a leg must be answered to be joined")
        if leg.conference is self:
            return
        if leg.conference is not None:
            leg.conference.remove(leg)
        leg.conference = self
        self._streams[leg] = stream
        self._media.add(stream)

    def remove(self, leg: Leg) -> None:
        """Part it from the others."""
        if not isinstance(leg, SipLeg):
            return
        stream = self._streams.pop(leg, None)
        if stream is not None:
            leg.conference = None
            self._media.remove(stream)

    def mute(self, leg: Leg, muted: bool = True) -> None:
        """The others hear nothing of it."""
        stream = self._stream(leg)
        if stream is not None:
            self._media.mute(stream, muted)

    def whisper(self, leg: Leg, pcm: bytes) -> Playback:
        """Only ``leg`` hears it."""
        stream = self._stream(leg)
        if stream is None:
            raise LineError("not_answered", "this leg takes no part in the conference")
        return stream.whisper(pcm)

    def stop(self) -> None:
        """Part them all."""
        for leg in tuple(self._streams):
            self.remove(leg)

    def _stream(self, leg: Leg) -> MediaStream | None:
        return self._streams.get(leg) if isinstance(leg, SipLeg) else None
