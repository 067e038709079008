"""Seeded damage: no exception, no zombie call, no port lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import uvloop

from telephony.line import Ended, Leg, LineSettings
from telephony.rtp.packet import RtpPacket
from telephony.sip.line import SipLine
from telephony.sip.udp import SipSocket
from tests.telephony.test_stream import Rig
from tests.telephony.virtual import OFFER, PEER, RTP_PORTS, Exchange, request

ROUNDS = 2000


def damaged(data: bytes, rng: random.Random) -> bytes:
    """``data`` with one to four bytes, lines or stretches changed, doubled or gone."""
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 40))
        junk = rng.choice((b"", rng.randbytes(size), data[at : at + size] * 2, b"\r\n", b"9" * 12))
        data = data[:at] + junk + data[at + rng.choice((0, size)) :]
    return data


async def test_damaged_sip_leaves_no_call_behind(exchange: Exchange) -> None:
    rng = random.Random(20261121)
    counters: Counter[str] = Counter()
    sip = SipSocket(LineSettings(host="127.0.0.1"), counters)
    sip.receive_with(exchange.core.transactions)
    texts = [
        request("INVITE", body=OFFER, extra="Record-Route: <sip:127.0.0.1;lr>\r\n"),
        request("CANCEL"),
        request("BYE", to="<sip:12345@127.0.0.1>;tag=x", cseq=2),
        request("INFO", kind="application/dtmf-relay", body="Signal=1\r\n"),
        request("OPTIONS"),
    ]
    answered = 0
    for number in range(ROUNDS):
        text = rng.choice(texts).replace("z9hG4bK1", f"z9hG4bK{number}")
        text = text.replace("call-1", f"call-{number}")
        sip.datagram_received(damaged(text.encode(), rng), PEER)
        for leg in exchange.inbound[answered:]:
            if leg.ended is None:
                await leg.answer()
        answered = len(exchange.inbound)
        exchange.clock.advance(0.5)
    assert answered > 50
    assert "sip_handler_failed" not in counters
    exchange.clock.advance(200)
    assert exchange.agent.alive == ()
    assert exchange.ports.held == 0
    assert len(exchange.core.transactions) == exchange.clock.pending() == 0


async def test_damaged_rtp_does_not_stop_the_stream() -> None:
    rng = random.Random(20261121)
    rig = Rig()
    for number in range(ROUNDS):
        kind = rng.choice((8, 0, 96, 13))
        packet = RtpPacket(kind, number & 0xFFFF, 160 * number, 1, rng.randbytes(160)).pack()
        rig.stream.receive(damaged(packet, rng), ("127.0.0.1", rng.choice((4000, 4001))))
        rig.ticks(1)
    assert [frame.at_ms for frame in rig.heard] == [20 * n for n in range(ROUNDS)]
    assert {len(frame.pcm) for frame in rig.heard} == {320}


def test_a_call_on_uvloop() -> None:
    async def both() -> Ended:
        ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

        async def on_call(leg: Leg) -> None:
            await leg.answer()
            async for event in leg.events():
                if isinstance(event, Ended):
                    ended.set_result(event)

        settings = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS)
        line = SipLine(settings)
        await line.start(on_call)
        leg = await line.dial(f"sip:self@127.0.0.1:{line.address[1]}")
        assert await leg.play(bytes(1600)).done == 100
        await leg.hang_up()
        event = await ended
        await line.stop()
        return event

    loop = uvloop.new_event_loop()
    try:
        assert loop.run_until_complete(both()) == Ended("bye")
    finally:
        loop.close()
