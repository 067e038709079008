"""The pacing of real sockets: nothing here asserts how fast, only what."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from telephony.line import LineError
from telephony.rtp.engine import MediaEngine
from telephony.rtp.events import EventSender
from telephony.rtp.g711 import PCMA
from telephony.rtp.packet import RtpPacket, parse_rtp
from telephony.rtp.ports import PortPool
from telephony.rtp.reports import NTP_EPOCH_S
from telephony.rtp.rtcp import Block, Goodbye, Name, Report, compound, parse_rtcp
from telephony.rtp.session import MediaSession
from telephony.rtp.stream import MediaPlan
from tests.telephony.virtual import RTP_PORTS


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


class Media:
    """An engine with one session towards ``peer``."""

    def __init__(self, peer: socket.socket, rtcp: tuple[str, int] | None = None) -> None:
        self.counters: Counter[str] = Counter()
        self.keys: list[str] = []
        self.engine = MediaEngine(self.counters)
        self.ports = PortPool("127.0.0.1", RTP_PORTS)
        self.session = MediaSession(
            self.engine, self.ports, self.counters, lambda key, _: self.keys.append(key)
        )
        self.address = ("127.0.0.1", self.session.open())
        self.session.start(MediaPlan(peer.getsockname(), PCMA, 8, 96, rtcp=rtcp), "127.0.0.1")


async def test_packets_go_out_until_the_end(peer: socket.socket) -> None:
    media = Media(peer)
    loop = asyncio.get_running_loop()
    packets = [parse_rtp(await loop.sock_recv(peer, 2048)) for _ in range(5)]
    assert [packets[-1].sequence - packet.sequence & 0xFFFF for packet in packets] == [
        4, 3, 2, 1, 0,
    ]  # fmt: skip
    media.session.close()
    assert media.ports.held == 0
    assert media.counters == {}


async def test_what_arrived_before_the_end_still_counts(peer: socket.socket) -> None:
    media = Media(peer)
    sender = EventSender()
    sender.send("6")
    event = sender.tick()
    assert event is not None
    peer.sendto(RtpPacket(96, 1, 1, 1, event.payload).pack(), media.address)
    media.session.close()
    assert media.keys == ["6"]


async def test_target_that_cannot_be_sent_to_is_counted(peer: socket.socket) -> None:
    media = Media(peer)
    stream = media.session.stream
    assert stream is not None
    stream.replan(MediaPlan(("255.255.255.255", 9), PCMA, 8))
    frames = asyncio.Event()
    media.session.heard.add(lambda frame: frames.set() if frame.at_ms >= 40 else None)
    await frames.wait()
    media.session.close()
    assert media.counters["rtp_send_failed"] >= 2


def test_ports_are_pairs_taken_in_turn_and_freed() -> None:
    pool = PortPool("127.0.0.1", (24101, 24109))
    pairs = [pool.open() for _ in range(4)]
    assert [[sock.getsockname()[1] for sock in pair] for pair in pairs] == [
        [24102, 24103], [24104, 24105], [24106, 24107], [24108, 24109],
    ]  # fmt: skip
    with pytest.raises(LineError) as error:
        pool.open()
    assert error.value.code == "no_media_port"
    pool.release(pairs[1])
    pool.release(pairs[1])
    again = pool.open()
    assert again.rtp.getsockname()[1] == 24104
    for pair in (*pairs, again):
        pool.release(pair)
    assert pool.held == 0


@pytest.mark.parametrize("taken", [24112, 24113])
def test_port_of_another_program_is_skipped(taken: int) -> None:
    pool = PortPool("127.0.0.1", (24112, 24115))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", taken))
        pair = pool.open()
        assert pair.rtp.getsockname()[1] == 24114
        assert pool.held == 1
        pool.release(pair)


async def test_reports_go_to_the_next_port_and_say_goodbye(peer: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp:
        rtcp.bind(("127.0.0.1", 0))
        rtcp.setblocking(False)
        media = Media(peer, rtcp.getsockname())
        stream = media.session.stream
        assert stream is not None
        stream.reports.due_ms = 40
        loop = asyncio.get_running_loop()
        peer.sendto(RtpPacket(8, 7, 1, 99, b"\xd5" * 160).pack(), media.address)
        async with asyncio.timeout(60):
            data, source = await loop.sock_recvfrom(rtcp, 2048)
            assert source == (media.address[0], media.address[1] + 1)
            report, name = parse_rtcp(data)
            assert isinstance(report, Report)
            assert isinstance(name, Name)
            assert report.ntp is not None
            assert 0 <= time.time() - (report.ntp / 2**32 - NTP_EPOCH_S) < 60
            assert [(block.ssrc, block.highest) for block in report.blocks] == [(99, 7)]
            block = Block(report.ssrc, 64, 2, 5, 80, report.ntp >> 16 & 0xFFFFFFFF, 0)
            rtcp.sendto(compound([Report(99, (block,))]), source)
            rtcp.sendto(b"\x80\xc9\0\x09", source)
            media.session.close()
            goodbye = parse_rtcp(await loop.sock_recv(rtcp, 2048))[-1]
    assert goodbye == Goodbye((report.ssrc,))
    view = stream.reports.peer
    assert view is not None
    assert (view.lost, view.recent_loss, view.jitter_ms) == (2, 0.25, 10.0)
    assert view.round_trip_ms is not None
    assert media.counters == {"rtcp_sent": 1, "rtcp_received": 1, "rtcp_length": 1}
