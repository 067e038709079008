"""RTCP packets (RFC 3550 §6): reports, names and goodbyes, out and in."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telephony.rtp.packet import RTCP_TYPES

_HEADER = struct.Struct("!BBH")
_WORD = struct.Struct("!I")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IIIIII")
_VERSION = 2
_CNAME = 1
SR, RR, SDES, BYE = 200, 201, 202, 203
_MAX_BLOCKS = 31


class RtcpError(Exception):
    """Bytes that are no RTCP. ``code``: ``short``, ``version``, ``type``, ``length``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Block:
    """What the reporter received of ``ssrc``.

    ``fraction`` lost since its last report, of 256; ``lost`` in all (negative with duplicates);
    ``highest`` extended sequence number; ``jitter`` in units of the RTP clock; ``last_sr`` the
    middle 32 bits of the last sender report's NTP time; ``delay`` since it came, of 65536 a second.
    """

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last_sr: int
    delay: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report, or a receiver report where ``ntp`` (64 bits) is ``None``."""

    ssrc: int
    blocks: tuple[Block, ...] = ()
    ntp: int | None = None
    rtp_timestamp: int = 0
    packets: int = 0
    octets: int = 0

    def pack(self) -> bytes:
        """The packet on the wire."""
        body = _WORD.pack(self.ssrc)
        if self.ntp is not None:
            body += _SENDER.pack(
                self.ntp, self.rtp_timestamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF
            )
        body += b"".join(_packed(block) for block in self.blocks)
        return _framed(RR if self.ntp is None else SR, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class Name:
    """Who a source is (SDES with CNAME, at most 255 bytes)."""

    ssrc: int
    cname: str

    def pack(self) -> bytes:
        """The packet on the wire."""
        text = self.cname.encode()[:255]
        body = _WORD.pack(self.ssrc) + bytes((_CNAME, len(text))) + text
        # At least one zero ends the list of items, and fills up the word.
        return _framed(SDES, 1, body + bytes(4 - len(body) % 4))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Sources that are gone."""

    ssrcs: tuple[int, ...]

    def pack(self) -> bytes:
        """The packet on the wire."""
        return _framed(BYE, len(self.ssrcs), b"".join(map(_WORD.pack, self.ssrcs)))


Part = Report | Name | Goodbye


def compound(parts: Sequence[Part]) -> bytes:
    """Several packets in one datagram (§6.1: a report first, then a name)."""
    return b"".join(part.pack() for part in parts)


def parse_rtcp(data: bytes) -> tuple[Part, ...]:
    """What a datagram holds; packets of other types are left out.

    Raises ``RtcpError``, and nothing else, on anything but a whole number of whole packets.
    """
    parts: list[Part] = []
    for kind, count, body in _packets(data):
        part = _part(kind, count, body)
        if part is not None:
            parts.append(part)
    return tuple(parts)


def _packets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    if len(data) < _HEADER.size:
        raise RtcpError("short")
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise RtcpError("length")
        first, kind, words = _HEADER.unpack_from(data, at)
        if first >> 6 != _VERSION:
            raise RtcpError("version")
        if kind not in RTCP_TYPES:
            raise RtcpError("type")
        end = at + 4 * (words + 1)
        if end > len(data):
            raise RtcpError("length")
        yield kind, first & 0x1F, data[at + _HEADER.size : end]
        at = end


def _part(kind: int, count: int, body: bytes) -> Part | None:
    if kind in (SR, RR):
        return _report(kind, count, body)
    if kind == BYE:
        if len(body) < 4 * count:
            raise RtcpError("length")
        return Goodbye(tuple(value for (value,) in _WORD.iter_unpack(body[: 4 * count])))
    return _name(body) if kind == SDES and count else None


def _report(kind: int, count: int, body: bytes) -> Report:
    fixed = _WORD.size + (_SENDER.size if kind == SR else 0)
    if len(body) < fixed + count * _BLOCK.size:
        raise RtcpError("length")
    (ssrc,) = _WORD.unpack_from(body)
    blocks = tuple(
        _block(body, fixed + number * _BLOCK.size) for number in range(min(count, _MAX_BLOCKS))
    )
    if kind == RR:
        return Report(ssrc, blocks)
    return Report(ssrc, blocks, *_SENDER.unpack_from(body, _WORD.size))


def _block(body: bytes, at: int) -> Block:
    ssrc, losses, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, at)
    lost = losses & 0xFFFFFF
    if lost >= 1 << 23:
        lost -= 1 << 24
    return Block(ssrc, losses >> 24, lost, highest, jitter, last_sr, delay)


def _packed(block: Block) -> bytes:
    lost = max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc, block.fraction << 24 | lost, block.highest & 0xFFFFFFFF,
        min(block.jitter, 0xFFFFFFFF), block.last_sr, min(block.delay, 0xFFFFFFFF),
    )  # fmt: skip


def _name(body: bytes) -> Name | None:
    """The first chunk's name, if that is its first item, as it must be where it is alone."""
    if len(body) < 6 or body[4] != _CNAME or len(body) < 6 + body[5]:
        return None
    (ssrc,) = _WORD.unpack_from(body)
    return Name(ssrc, body[6 : 6 + body[5]].decode("utf-8", errors="replace"))


def _framed(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION << 6 | count, kind, len(body) // 4) + body
