"""One clock for the media of all calls: absolute time, no task and no timer for a single call.

Every 5 ms a quarter of the calls gets its 20 ms tick: its socket is read out, its sinks are fed,
its packet is sent. A tick that comes late is made up for, so that nothing drifts.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from telephony.line import FRAME_MS
from telephony.rtp.ports import MediaSockets
from telephony.rtp.source import Address
from telephony.rtp.stream import MediaStream

log = structlog.get_logger(__name__)

PHASES = 4
SLOT_S = 0.005
EARLY_S = 0.0005
GIVE_UP_S = 1.0
MAX_DATAGRAM = 2048
MAX_READ_A_TICK = 200
ANCILLARY = socket.CMSG_SPACE(16)
RTCP_READ_MS = 500
_TIMESPEC = struct.Struct("qq")


@dataclass(eq=False, slots=True)
class _Member:
    stream: MediaStream
    sockets: MediaSockets
    broken: bool = False


class MediaEngine:
    """Paces every stream that is added, until it is removed."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._phases: list[list[_Member]] = [[] for _ in range(PHASES)]
        self._timer: asyncio.TimerHandle | None = None
        self._base = 0.0
        self._slot = 0
        self._past: Counter[str] = Counter()

    def add(self, stream: MediaStream, sockets: MediaSockets) -> None:
        """Start the clock of ``stream``, whose datagrams come and go by ``sockets``."""
        min(self._phases, key=len).append(_Member(stream, sockets))
        if self._timer is None:
            self._base, self._slot = time.monotonic(), 1
            self._schedule()

    def remove(self, stream: MediaStream) -> None:
        """Stop it, after what has arrived already, and tell the peer by RTCP.

        The sockets stay open: they are the caller's.
        """
        for members in self._phases:
            for member in tuple(members):
                if member.stream is stream:
                    members.remove(member)
                    self._part(member)
                    self._past += _packets(stream)

    def stop(self) -> None:
        """Stop everything."""
        for stream in self._streams():
            self._past += _packets(stream)
        for members in self._phases:
            members.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def packets(self) -> Counter[str]:
        """Packets of all calls since the start, those that are over too, by what became of them."""
        return sum((_packets(stream) for stream in self._streams()), Counter(self._past))

    def buffered_ms(self) -> tuple[int, ...]:
        """How much sound each live call's jitter buffer holds."""
        return tuple(stream.jitter.waiting * FRAME_MS for stream in self._streams())

    def _streams(self) -> Iterator[MediaStream]:
        return (member.stream for members in self._phases for member in members)

    def _schedule(self) -> None:
        # Not loop.call_at: uvloop's clock has ms and stands still while a callback runs.
        delay = self._base + self._slot * SLOT_S - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(delay, 0.0), self._wake)

    def _wake(self) -> None:
        elapsed = time.monotonic() - self._base
        behind = elapsed - self._slot * SLOT_S
        if behind > GIVE_UP_S:
            self._counters["media_clock_skipped"] += 1
            self._slot = int(elapsed / SLOT_S)
        while self._slot * SLOT_S <= elapsed + EARLY_S:
            for member in tuple(self._phases[self._slot % PHASES]):
                self._tick(member)
            self._slot += 1
        if any(self._phases):
            self._schedule()
        else:
            self._timer = None

    def _tick(self, member: _Member) -> None:
        stream = member.stream
        try:
            self._read(member)
            packet = stream.tick()
            if packet is not None:
                self._send(member.sockets.rtp, packet, stream.target)
            if not stream.clock_ms % RTCP_READ_MS:
                self._read_rtcp(member)
            if stream.clock_ms >= stream.reports.due_ms:
                self._send_rtcp(member, stream.report(time.time()))
        except Exception:  # one call's fault must not silence the others
            self._counters["media_tick_failed"] += 1
            if not member.broken:
                member.broken = True
                log.exception("media_tick_failed")

    def _part(self, member: _Member) -> None:
        """What the last datagrams say still counts; RTCP says goodbye."""
        self._read(member)
        self._read_rtcp(member)
        goodbye = member.stream.goodbye(time.time())
        if goodbye is not None:
            self._send_rtcp(member, goodbye)

    def _read(self, member: _Member) -> None:
        receive, sock = member.stream.receive, member.sockets.rtp
        for _ in range(MAX_READ_A_TICK):
            try:
                data, told, _, source = sock.recvmsg(MAX_DATAGRAM, ANCILLARY)
            except OSError:
                # BlockingIOError: read out. Any other is about one datagram or a closed socket.
                return
            receive(data, source, _arrival_s(told))

    def _read_rtcp(self, member: _Member) -> None:
        for _ in range(MAX_READ_A_TICK):
            try:
                data, told, _, source = member.sockets.rtcp.recvmsg(MAX_DATAGRAM, ANCILLARY)
            except OSError:
                return
            member.stream.receive_rtcp(data, source, _arrival_s(told))

    def _send_rtcp(self, member: _Member, packet: bytes) -> None:
        stream, (rtp, rtcp) = member.stream, member.sockets
        if stream.rtcp_target is not None:
            self._send(rtp if stream.plan.rtcp_mux else rtcp, packet, stream.rtcp_target)

    def _send(self, sock: socket.socket, packet: bytes, target: Address) -> None:
        try:
            sock.sendto(packet, target)
        except (OSError, OverflowError):
            self._counters["rtp_send_failed"] += 1


def _arrival_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """When the kernel had the datagram, by the world's clock."""
    if not ancillary:
        return time.time()
    seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
    return float(seconds + nanoseconds * 1e-9)


def _packets(stream: MediaStream) -> Counter[str]:
    jitter = stream.jitter
    return Counter(
        rtp_packets_received=jitter.received,
        rtp_packets_late=jitter.late,
        rtp_packets_lost=jitter.lost,
        rtp_packets_dropped=jitter.dropped,
    )
