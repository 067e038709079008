"""Symmetric RTP with a source check: follow a peer behind NAT, but never a stranger.

Packets from the address that the peer announced in SDP always count. Another address may take
over only if it belongs to the peer (the IP in its SDP, or the IP that its SIP comes from), if
nothing has been heard for a second, and after three packets in sequence.
"""

from __future__ import annotations

from telephony.rtp.packet import RtpPacket

Address = tuple[str, int]

QUIET_MS = 1000
PROBATION_PACKETS = 3


class SourceCheck:
    """Decides which packets are the peer's; ``target`` is where to send to."""

    def __init__(self, announced: Address, signalling_host: str) -> None:
        self.target = announced
        self._announced = announced
        self._hosts = {announced[0], signalling_host}
        self._heard_ms = -QUIET_MS
        self._candidate: tuple[Address, int, int, int] | None = None

    def accepts(self, packet: RtpPacket, source: Address, now_ms: int) -> bool:
        """Whether ``packet`` from ``source`` is the peer's; moves ``target`` if it is."""
        if source not in (self._announced, self.target) and not self._proved(
            packet, source, now_ms
        ):
            return False
        self.target = source
        self._heard_ms = now_ms
        self._candidate = None
        return True

    def is_peers(self, source: Address) -> bool:
        """Whether ``source`` is on a host of the peer's, whatever the port."""
        return source[0] in self._hosts or source[0] == self.target[0]

    def _proved(self, packet: RtpPacket, source: Address, now_ms: int) -> bool:
        if source[0] not in self._hosts or now_ms - self._heard_ms < QUIET_MS:
            return False
        expected = (source, packet.ssrc, packet.sequence)
        count = 1
        if self._candidate is not None and self._candidate[:3] == expected:
            count = self._candidate[3] + 1
        self._candidate = (source, packet.ssrc, (packet.sequence + 1) & 0xFFFF, count)
        return count >= PROBATION_PACKETS
