"""Calls without any sound: asked by an OPTIONS within the dialog, ended only if nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from telephony.line import Ended, LineError, LineSettings
from telephony.rtp.packet import RtpPacket
from telephony.sip.leg import SipLeg
from tests.telephony.calls import Inbound, Outbound, turn
from tests.telephony.virtual import OFFER, RTP_PORTS, Exchange


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """With the default 30 s, and media that goes by the virtual clock."""
    exchange = Exchange(LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS))
    yield exchange
    exchange.close()
    assert exchange.ports.held == 0


async def passes(exchange: Exchange, leg: SipLeg, seconds: int, sound_every: int = 0) -> None:
    """``seconds`` of media and of the line's clock, with a packet every so many seconds."""
    exchange.media.stop()
    for second in range(seconds):
        stream = leg.media.stream
        if sound_every and stream is not None and second % sound_every == 0:
            packet = RtpPacket(8, second, 160 * second, 1, bytes(160))
            stream.receive(packet.pack(), ("127.0.0.1", 40000))
        for _ in range(50):
            if stream is not None:
                stream.tick()
        exchange.clock.advance(1)
        await turn()


def asked(exchange: Exchange) -> int:
    """How often the other side was asked, repetitions not counted."""
    return len({options.cseq for options in exchange.requests("OPTIONS")})


async def test_dead_call_is_asked_then_ended(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 29)
    assert exchange.requests("OPTIONS") == []
    await passes(exchange, call.leg, 2)
    options = exchange.requests("OPTIONS")[0]
    assert (options.to.tag, options.sender.tag) == ("them", call.leg.local_tag)
    assert exchange.agent.alive == (call.leg,)
    await passes(exchange, call.leg, 33)
    assert call.leg.ended == Ended("media_timeout")
    assert len(exchange.requests("BYE")) >= 1


@pytest.mark.parametrize("status", [408, 481])
async def test_other_side_that_does_not_know_the_call(exchange: Exchange, status: int) -> None:
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 31)
    await call.reply("OPTIONS", status)
    assert call.leg.ended == Ended("media_timeout")


@pytest.mark.parametrize("status", [200, 405, 500])
async def test_muted_caller_who_answers_is_never_cut_off(exchange: Exchange, status: int) -> None:
    call = await Inbound.open(exchange)
    for period in range(1, 7):
        await passes(exchange, call.leg, 31)
        assert asked(exchange) == period
        await call.reply("OPTIONS", status)
    assert call.leg.ended is None


async def test_sound_in_time_asks_nobody(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 120, sound_every=25)
    assert exchange.requests("OPTIONS") == []


async def test_sound_that_comes_back_while_we_ask(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 31)
    await passes(exchange, call.leg, 40, sound_every=5)
    assert call.leg.ended is None


async def test_nobody_is_asked_while_they_hold_us(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    call.send("INVITE", body=f"{OFFER}a=sendonly\r\n")
    call.ack(2)
    await passes(exchange, call.leg, 200)
    assert exchange.requests("OPTIONS") == []
    call.send("INVITE", body=OFFER)
    call.ack(3)
    await passes(exchange, call.leg, 29)
    assert exchange.requests("OPTIONS") == []
    await passes(exchange, call.leg, 2)
    assert asked(exchange) == 1


async def test_nobody_is_asked_while_we_hold_them(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 200, body=f"{OFFER}a=recvonly\r\n")
    await task
    await passes(exchange, call.leg, 200)
    assert exchange.requests("OPTIONS") == []


async def test_held_while_we_ask(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 31)
    call.send("INVITE", body=f"{OFFER}a=sendonly\r\n")
    call.ack(2)
    await passes(exchange, call.leg, 40)
    assert call.leg.ended is None


async def test_our_own_calls_are_watched_too(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await call.answered()
    await passes(exchange, call.leg, 65)
    assert call.leg.ended == Ended("media_timeout")


async def test_switched_off() -> None:
    exchange = Exchange(LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS, dead_after_s=0))
    call = await Inbound.open(exchange)
    await passes(exchange, call.leg, 200)
    assert exchange.requests("OPTIONS") == []
    exchange.close()


async def test_probe(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    for status, alive in ((200, True), (486, True), (481, False)):
        task = asyncio.create_task(call.leg.probe())
        await turn()
        await call.reply("OPTIONS", status)
        assert await task == alive
    task = asyncio.create_task(call.leg.probe())
    await turn()
    call.leg.shut("hung_up")
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "ended"
