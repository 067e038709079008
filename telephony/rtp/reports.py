"""The RTCP side of one stream (RFC 3550 §6): when to report, what, and what the peer reports.

Pure: times are passed in. Two members and 64 kbit/s allow a report every 5 s (§6.2), each time
between half of that and one and a half, so that the reports of many calls spread.
"""

from __future__ import annotations

import base64
import random
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from telephony.line import SAMPLE_RATE_HZ
from telephony.rtp.reception import Reception
from telephony.rtp.rtcp import Block, Goodbye, Name, Part, Report, RtcpError, compound, parse_rtcp

INTERVAL_MS = 5000
NTP_EPOCH_S = 2_208_988_800
"""1900 to 1970, s."""
_MAX_ROUND_TRIP_S = 60.0


@dataclass(frozen=True, slots=True)
class PeerView:
    """How the peer hears us, as it last told: packets lost in all, as a share of those sent
    (0 to 1) and of those since its report before; jitter and round trip in ms (``None``: it
    could not be known)."""

    lost: int
    loss_ratio: float
    recent_loss: float
    jitter_ms: float
    round_trip_ms: float | None


class Reports:
    """``chance`` gives 0 to 1; ``cname`` names this call's source (RFC 7022: a random one)."""

    def __init__(
        self,
        ssrc: int,
        counters: Counter[str],
        chance: Callable[[], float] = random.random,
        cname: str = "",
    ) -> None:
        self.peer: PeerView | None = None
        self.reception: Reception | None = None
        self._ssrc = ssrc
        self._cname = cname or base64.b64encode(secrets.token_bytes(12)).decode()
        self._chance = chance
        self._counters = counters
        self._packets = self._octets = self._packets_before = 0
        self._peer_sr: tuple[int, float] = (0, 0.0)
        self._spoke = False
        # The first one after half the time (§6.2).
        self.due_ms = self._interval() / 2

    def _interval(self) -> float:
        return INTERVAL_MS * (0.5 + self._chance())

    def source(self, ssrc: int, first: int) -> Reception:
        """Packets come from a new source, the first with this sequence number: count them."""
        self.reception = Reception(ssrc, first)
        self._peer_sr = (0, 0.0)
        return self.reception

    def sent(self, octets: int) -> None:
        """A packet with so many octets of payload left."""
        self._packets += 1
        self._octets += octets

    def report(self, now_s: float, clock_ms: float, timestamp: int) -> bytes:
        """The report that is due; the next is after a random while.

        ``now_s``: the world's clock; ``clock_ms``, ``timestamp``: the stream's at that moment.
        """
        self.due_ms = clock_ms + self._interval()
        self._spoke = True
        self._counters["rtcp_sent"] += 1
        return compound(self._parts(now_s, timestamp))

    def goodbye(self, now_s: float, timestamp: int) -> bytes | None:
        """The last one; ``None`` where nothing was ever sent (§6.3.7)."""
        if not self._spoke and not self._packets:
            return None
        return compound([*self._parts(now_s, timestamp), Goodbye((self._ssrc,))])

    def _parts(self, now_s: float, timestamp: int) -> list[Part]:
        blocks = (self._block(now_s),) if self.reception is not None else ()
        report = Report(self._ssrc, blocks)
        if self._packets != self._packets_before:
            self._packets_before = self._packets
            report = Report(self._ssrc, blocks, ntp(now_s), timestamp, self._packets, self._octets)
        return [report, Name(self._ssrc, self._cname)]

    def _block(self, now_s: float) -> Block:
        assert self.reception is not None  # noqa: S101  # the caller has looked
        last_sr, came_s = self._peer_sr
        delay = max(0, int((now_s - came_s) * 65536)) if last_sr else 0
        return self.reception.block(last_sr, delay)

    def receive(self, data: bytes, now_s: float) -> None:
        """A datagram of the peer's. What is no RTCP is counted and ignored."""
        try:
            parts = parse_rtcp(data)
        except RtcpError as error:
            self._counters[f"rtcp_{error.code}"] += 1
            return
        self._counters["rtcp_received"] += 1
        for part in parts:
            if isinstance(part, Report):
                self._take(part, now_s)

    def _take(self, report: Report, now_s: float) -> None:
        known = self.reception
        if report.ntp is not None and known is not None and report.ssrc == known.ssrc:
            self._peer_sr = (report.ntp >> 16 & 0xFFFFFFFF, now_s)
        for block in report.blocks:
            if block.ssrc == self._ssrc:
                self.peer = PeerView(
                    block.lost,
                    min(1.0, max(0, block.lost) / max(1, self._packets)),
                    block.fraction / 256,
                    block.jitter * 1000 / SAMPLE_RATE_HZ,
                    _round_trip_ms(block, now_s),
                )


def ntp(now_s: float) -> int:
    """Seconds since 1970 as the 64 bits of NTP."""
    return int((now_s + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def _round_trip_ms(block: Block, now_s: float) -> float | None:
    """§6.4.1, figure 2; ``None`` where the peer has had no report of ours, or lies."""
    if not block.last_sr:
        return None
    units = ((ntp(now_s) >> 16) - block.last_sr - block.delay) & 0xFFFFFFFF
    seconds = units / 65536
    if seconds > _MAX_ROUND_TRIP_S:
        # A little below zero is a round trip of nothing, rounded.
        return 0.0 if units > 0xFFFFFFFF - 655 else None
    return seconds * 1000
