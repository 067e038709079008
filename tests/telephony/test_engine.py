"""The pacing of real sockets: nothing here asserts how fast, only what."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from telephony.line import LineError
from telephony.rtp.engine import MediaEngine
from telephony.rtp.events import EventSender
from telephony.rtp.g711 import PCMA
from telephony.rtp.packet import RtpPacket, parse_rtp
from telephony.rtp.ports import PortPool
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

    def __init__(self, peer: socket.socket) -> None:
        self.counters: Counter[str] = Counter()
        self.keys: list[str] = []
        self.engine = MediaEngine(self.counters)
        self.ports = PortPool("127.0.0.1", RTP_PORTS)
        self.session = MediaSession(
            self.engine, self.ports, self.counters, lambda key, _: self.keys.append(key)
        )
        self.address = ("127.0.0.1", self.session.open())
        self.session.start(MediaPlan(peer.getsockname(), PCMA, 8, 96), "127.0.0.1")


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


def test_ports_are_even_taken_in_turn_and_freed() -> None:
    pool = PortPool("127.0.0.1", (32001, 32009))
    socks = [pool.open() for _ in range(4)]
    assert [sock.getsockname()[1] for sock in socks] == [32002, 32004, 32006, 32008]
    with pytest.raises(LineError) as error:
        pool.open()
    assert error.value.code == "no_media_port"
    pool.release(socks[1])
    pool.release(socks[1])
    again = pool.open()
    assert again.getsockname()[1] == 32004
    for sock in (*socks, again):
        pool.release(sock)
    assert pool.held == 0


def test_port_of_another_program_is_skipped() -> None:
    pool = PortPool("127.0.0.1", (32012, 32015))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 32012))
        sock = pool.open()
        assert sock.getsockname()[1] == 32014
        pool.release(sock)
