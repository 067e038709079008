"""The media of one leg: datagrams and ticks in, packets and frames out. No socket, no clock."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from telephony.line import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ, SILENCE, Frame
from telephony.rtp.events import EventPayload, EventReceiver, EventSender
from telephony.rtp.g711 import PCMA, PCMU, Codec, added, attenuated
from telephony.rtp.jitter import JitterBuffer
from telephony.rtp.mixer import Mixer
from telephony.rtp.noise import PAYLOAD_TYPE as NOISE_TYPE
from telephony.rtp.noise import noise_level
from telephony.rtp.packet import RtpError, RtpPacket, parse_rtp
from telephony.rtp.playback import PlaybackQueue, QueuedPlayback
from telephony.rtp.reception import Reception
from telephony.rtp.reports import Reports
from telephony.rtp.sinks import Sinks
from telephony.rtp.source import Address, SourceCheck

MAX_PAYLOAD_BYTES = 1600
LAST_PORT = 65535
UNDER_WHISPER = 0.25
"""What others say while a whisper plays: 12 dB softer."""


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """What offer and answer agreed on.

    ``payload_type`` is the number for ``codec``; ``event_type`` that for telephone-events, if
    agreed. ``sends``: whether we may send now. ``rtcp`` is where the peer wants its reports, if
    it said so (``a=rtcp``, RFC 3605), else the next port; ``rtcp_mux``: they go with the sound
    (RFC 5761).
    """

    remote: Address
    codec: Codec
    payload_type: int
    event_type: int | None = None
    sends: bool = True
    rtcp: Address | None = None
    rtcp_mux: bool = False


class MediaStream:
    """One leg's RTP, 20 ms a tick.

    ``signalling_host`` is the IP that the peer's SIP comes from; ``heard`` and ``sent`` are given
    every frame; ``on_digit`` is told each key.
    """

    def __init__(
        self,
        plan: MediaPlan,
        signalling_host: str,
        playback: PlaybackQueue,
        heard: Sinks,
        sent: Sinks,
        on_digit: Callable[[str, int], None],
        counters: Counter[str],
    ) -> None:
        self._signalling_host = signalling_host
        self._playback = playback
        self.heard = heard
        self._sent = sent
        self._on_digit = on_digit
        self._counters = counters
        self._jitter = JitterBuffer()
        self._events_in = EventReceiver()
        self._events_out = EventSender()
        self._tell_key: Callable[[MediaStream, str], None] | None = None
        self._aside = PlaybackQueue()
        self.mixer = Mixer()
        self._peer_ssrc: int | None = None
        self._probation: tuple[int, int] | None = None
        # RFC 3550 §5.1: all three random. Not secrets, so `random` will do.
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._event_timestamp = 0
        self._talkspurt = True
        self.clock_ms = 0
        self._packet_at_ms = 0
        self._rtcp_from: Address | None = None
        self.reports = Reports(self._ssrc, counters)
        self._reception = Reception(0, 0)
        self._plan = plan
        self._source = SourceCheck(plan.remote, signalling_host)

    @property
    def target(self) -> Address:
        """Where packets go."""
        return self._source.target

    @property
    def silent_ms(self) -> int:
        """For how long no packet of the peer has come, ms."""
        return self.clock_ms - self._packet_at_ms

    @property
    def rtcp_target(self) -> Address | None:
        """Where reports go; ``None`` while it is not known."""
        if self._plan.rtcp_mux:
            return self.target
        if self._rtcp_from is not None:
            return self._rtcp_from
        host, port = self._plan.remote
        if self.target != self._plan.remote:
            # Behind a NAT: the next port there is anybody's, until a report comes from it.
            return None
        return self._plan.rtcp or ((host, port + 1) if port < LAST_PORT else None)

    @property
    def plan(self) -> MediaPlan:
        """What is agreed now."""
        return self._plan

    @property
    def jitter(self) -> JitterBuffer:
        """What was received, late and lost."""
        return self._jitter

    def replan(self, plan: MediaPlan) -> None:
        """A new offer and answer: hold, resume, another address or codec."""
        if plan.remote != self._plan.remote:
            self._source = SourceCheck(plan.remote, self._signalling_host)
            self._rtcp_from = None
        self._talkspurt = self._talkspurt or (plan.sends and not self._plan.sends)
        self._plan = plan

    def send_digits(self, keys: str) -> None:
        """Queue key presses; none if the peer did not agree to telephone-events."""
        sender = self._events_out if self._plan.event_type is not None else EventSender()
        sender.send(keys)

    def on_key(self, tell: Callable[[MediaStream, str], None] | None) -> None:
        """``tell`` gets every key pressed from now on, beside ``on_digit``; ``None``: nobody."""
        self._tell_key = tell

    def whisper(self, pcm: bytes) -> QueuedPlayback:
        """Queue s16le PCM that is mixed over whatever else is sent, which is softer meanwhile."""
        return self._aside.play(pcm)

    def close(self) -> None:
        """Nothing of this stream plays on."""
        self._aside.close()
        self.mixer.clear()

    def receive(self, data: bytes, source: Address, arrived_s: float | None = None) -> None:
        """One datagram from the socket. Anything unfit is counted and ignored.

        ``arrived_s``: when it did, by the world's clock; else the stream's is taken.
        """
        try:
            packet = parse_rtp(data)
        except RtpError as error:
            if error.code == "rtcp":
                self.receive_rtcp(data, source, arrived_s)
            else:
                self._counters[f"rtp_{error.code}"] += 1
            return
        if not self._source.accepts(packet, source, self.clock_ms):
            self._counters["rtp_stranger"] += 1
            return
        self._packet_at_ms = self.clock_ms
        if self._same_sender(packet):
            self._dispatch(packet, self._seconds(arrived_s) * SAMPLE_RATE_HZ)

    def receive_rtcp(self, data: bytes, source: Address, arrived_s: float | None = None) -> None:
        """One datagram with reports; from the peer's host only."""
        if not self._source.is_peers(source):
            self._counters["rtcp_stranger"] += 1
            return
        self._rtcp_from = source
        self._packet_at_ms = self.clock_ms
        self.reports.receive(data, self._seconds(arrived_s))

    def report(self, now_s: float) -> bytes:
        """The report that is due by ``reports.due_ms``."""
        return self.reports.report(now_s, self.clock_ms, self._timestamp)

    def goodbye(self, now_s: float) -> bytes | None:
        """The last report, if one is owed."""
        return self.reports.goodbye(now_s, self._timestamp)

    def _seconds(self, arrived_s: float | None) -> float:
        return self.clock_ms / 1000 if arrived_s is None else arrived_s

    def _same_sender(self, packet: RtpPacket) -> bool:
        """RFC 3550 A.1: a new SSRC counts from its second packet in sequence on."""
        if packet.ssrc == self._peer_ssrc:
            return True
        if self._peer_ssrc is not None and self._probation != (packet.ssrc, packet.sequence):
            self._probation = (packet.ssrc, (packet.sequence + 1) & 0xFFFF)
            self._counters["rtp_new_ssrc"] += 1
            return False
        self._peer_ssrc, self._probation = packet.ssrc, None
        self._jitter.reset()
        self._events_in = EventReceiver()
        self._reception = self.reports.source(packet.ssrc, packet.sequence)
        return True

    def _dispatch(self, packet: RtpPacket, arrival: float) -> None:
        reception = self._reception
        reception.packet(packet.sequence)
        if packet.payload_type == self._plan.event_type:
            self._take_event(packet)
            return
        reception.timing(packet.timestamp, arrival)
        if packet.payload_type == NOISE_TYPE:
            self._take_noise(packet)
            return
        codec = self._codec_of(packet.payload_type)
        if codec is None or not 0 < len(packet.payload) <= MAX_PAYLOAD_BYTES:
            self._counters["rtp_payload"] += 1
            return
        self._jitter.push(packet.sequence, codec.decode(packet.payload))

    def _codec_of(self, payload_type: int) -> Codec | None:
        if payload_type == self._plan.payload_type:
            return self._plan.codec
        # Some gateways send the other law although one was agreed; the numbers are static.
        return {PCMU.payload_type: PCMU, PCMA.payload_type: PCMA}.get(payload_type)

    def _take_noise(self, packet: RtpPacket) -> None:
        level = noise_level(packet.payload)
        if level is None:
            self._counters["rtp_payload"] += 1
        else:
            self._jitter.push_noise(packet.sequence, level)

    def _take_event(self, packet: RtpPacket) -> None:
        # Event packets count in the sequence; without this the buffer would call them lost.
        self._jitter.skip(packet.sequence)
        key = self._events_in.receive(packet.payload, packet.timestamp)
        if key is not None:
            self.press(key)

    def press(self, key: str) -> None:
        """The other side pressed ``key``, however it told us."""
        self._on_digit(key, self.clock_ms)
        if self._tell_key is not None:
            self._tell_key(self, key)

    def tick(self) -> bytes | None:
        """20 ms pass: feed the sinks; returns the packet to send to ``target``, if any."""
        pcm, heard = self._jitter.pop()
        self.heard.feed(Frame(pcm, self.clock_ms, heard))
        packet, sent = self._outgoing()
        self._sent.feed(Frame(sent or SILENCE, self.clock_ms, sent is not None))
        self.clock_ms += FRAME_MS
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        return packet

    def _outgoing(self) -> tuple[bytes | None, bytes | None]:
        """The packet, and the sound in it."""
        # Taken even if something else is sent: what others say now is not to be heard later.
        others = self.mixer.take()
        if not self._plan.sends:
            return None, None
        event = self._events_out.tick() if self._events_out.busy else None
        if event is not None:
            return self._event_packet(event), None
        pcm = self._sound(others)
        packet = self._packet(
            self._plan.payload_type, self._timestamp, self._plan.codec.encode(pcm or SILENCE)
        )
        return packet, pcm

    def _sound(self, others: bytes | None) -> bytes | None:
        pcm = self._playback.take() or others
        aside = self._aside.take()
        if aside is None or pcm is None:
            return aside or pcm
        return added(aside, attenuated(pcm, UNDER_WHISPER))

    def _event_packet(self, event: EventPayload) -> bytes:
        if event.first:
            self._event_timestamp = self._timestamp
            self._talkspurt = True
        assert self._plan.event_type is not None  # noqa: S101  # send_digits made sure
        return self._packet(self._plan.event_type, self._event_timestamp, event.payload)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        marker, self._talkspurt = self._talkspurt, False
        self.reports.sent(len(payload))
        return RtpPacket(
            payload_type, self._sequence, timestamp, self._ssrc, payload, marker
        ).pack()
