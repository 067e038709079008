"""RTP packets (RFC 3550 §5.1) and 16-bit sequence arithmetic."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FIXED = struct.Struct("!BBHII")
_WORD = 4
VERSION = 2
RTCP_TYPES = range(192, 224)
"""What the second byte of an RTCP packet may be, and that of an RTP packet may not (RFC 5761)."""


class RtpError(Exception):
    """Bytes that are no RTP packet. ``code``: ``short``, ``version``, ``rtcp``, ``padding``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet, without CSRC list, header extension and padding."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """The packet on the wire."""
        second = (self.marker << 7) | self.payload_type
        return (
            _FIXED.pack(VERSION << 6, second, self.sequence, self.timestamp, self.ssrc)
            + self.payload
        )


def parse_rtp(data: bytes) -> RtpPacket:
    """The packet in ``data``. Raises ``RtpError``, and nothing else, on any other bytes."""
    if len(data) > 1 and data[0] >> 6 == VERSION and data[1] in RTCP_TYPES:
        # RTCP on the same port (RFC 5761 §4); a report may be shorter than any RTP packet.
        raise RtpError("rtcp")
    if len(data) < _FIXED.size:
        raise RtpError("short")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != VERSION:
        raise RtpError("version")
    start = _FIXED.size + _WORD * (first & 0x0F)
    if first & 0x10:
        start = _after_extension(data, start)
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > len(data):
        raise RtpError("short")
    if end < start or (first & 0x20 and data[-1] == 0):
        raise RtpError("padding")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


def _after_extension(data: bytes, start: int) -> int:
    if start + _WORD > len(data):
        raise RtpError("short")
    words = int.from_bytes(data[start + 2 : start + _WORD], "big")
    return start + _WORD + _WORD * words


def sequence_delta(a: int, b: int) -> int:
    """How far ``a`` lies after ``b`` modulo 2**16: -32768 to 32767."""
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000
