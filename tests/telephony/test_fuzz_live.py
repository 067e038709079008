"""Seeded rubbish by SIP and by RTP, while a call goes on hearing and sending through it."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from telephony.line import Ended, Frame, Leg, LineSettings
from telephony.rtp.g711 import loudness
from telephony.rtp.packet import RtpPacket
from telephony.sip.line import SipLine
from tests.telephony.test_fuzz import damaged
from tests.telephony.test_line import tone
from tests.telephony.virtual import OFFER, RTP_PORTS, request

SECONDS = 2
A_TICK = 20
SETTINGS = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, max_calls=50)


class Rubbish:
    """Damaged messages of every kind, some of them about the live call."""

    def __init__(self, seed: int, live: Leg) -> None:
        self._rng = random.Random(seed)
        self._live = live
        self.sent = 0

    def sip(self) -> bytes:
        self.sent += 1
        method = self._rng.choice(["INVITE", "BYE", "UPDATE", "INFO", "OPTIONS", "ACK", "CANCEL"])
        text = request(
            method,
            branch=f"z9hG4bKfuzz{self.sent}",
            call_id=self._rng.choice([self._live.id, f"fuzz-{self.sent}"]),
            to=f"<sip:12345@127.0.0.1>;tag={self._rng.choice(['x', 'y'])}",
            body=self._rng.choice(["", OFFER]),
            extra=self._rng.choice(["", "Supported: timer\r\nx: 90\r\n", "Require: timer\r\n"]),
        )
        return damaged(text.encode(), self._rng)

    def rtp(self) -> bytes:
        packet = RtpPacket(
            self._rng.choice((0, 8, 13, 96, 101)),
            self._rng.getrandbits(16),
            self._rng.getrandbits(32),
            self._rng.getrandbits(32),
            self._rng.randbytes(self._rng.choice((0, 4, 160, 1400))),
        )
        return damaged(packet.pack(), self._rng)


def sounding(frames: list[Frame]) -> int:
    """How many of the frames are the other side's tone."""
    return sum(loudness(frame.pcm) > 1000 for frame in frames)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4475, 20261122])
async def test_live_call_goes_on_through_rubbish(seed: int) -> None:
    heard: list[Frame] = []

    async def desk(leg: Leg) -> None:
        await leg.answer()
        leg.on_audio(heard.append)
        leg.play(tone(1000) * 10 * SECONDS)
        async for _ in leg.events():
            pass

    line, caller = SipLine(SETTINGS), SipLine(SETTINGS)
    await line.start(desk)
    await caller.start(desk)
    leg = await caller.dial(f"sip:12345@127.0.0.1:{line.address[1]}")
    back: list[Frame] = []
    leg.on_audio(back.append)
    # A stranger at the caller's own address who is first could pass for the caller.
    while not (sounding(heard) and sounding(back)):
        assert await leg.play(tone(100)).done == 100
    leg.play(tone(1000) * 10 * SECONDS)
    back.clear()
    heard.clear()
    rubbish = Rubbish(seed, leg)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        while len(back) < SECONDS * 50 or rubbish.sent <= 1000:
            for _ in range(A_TICK):
                stranger.sendto(rubbish.sip(), line.address)
                stranger.sendto(rubbish.rtp(), ("127.0.0.1", RTP_PORTS[0] + 2 * (_ % 4)))
            await asyncio.sleep(0.02)
    assert leg.ended is None
    for frames in (heard, back):
        assert sounding(frames) > 0.8 * SECONDS * 50  # of at least so many
    await leg.hang_up()
    assert [event async for event in leg.events()] == [Ended("hung_up")]
    await line.stop()
    await caller.stop()
    assert "sip_handler_failed" not in line.counters()
    assert "media_tick_failed" not in line.counters()
