"""Nothing is left of 500 calls: no task, socket, port, transaction, object (R9, R11)."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

import pytest

from telephony.line import DialError, Leg, LineSettings
from telephony.sip.leg import SipLeg
from telephony.sip.line import SipLine
from tests.telephony.calls import TIMER, Inbound, Outbound, turn
from tests.telephony.virtual import OFFER, RTP_PORTS, Exchange, reply_to, request

CALLS = 500
WARM_UP = 50
MAX_GROWTH_OBJECTS = 250


def sockets() -> int:
    names = (os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir())
    return sum("socket" in name for name in names)


async def answered_then_bye(exchange: Exchange, number: int) -> None:
    call = await inbound(exchange, number, TIMER)
    exchange.receive(_within(call, "ACK", number, 1))
    hold = asyncio.create_task(call.leg.hold())
    await turn()
    held = exchange.requests("INVITE")[-1]
    exchange.receive(reply_to(held, 200, tag="them", body=f"{OFFER}a=recvonly\r\n"))
    await hold
    exchange.receive(_within(call, "UPDATE", number, 2))
    exchange.receive(_within(call, "BYE", number, 3))


async def cancelled(exchange: Exchange, number: int) -> None:
    exchange.receive(_invite(number))
    exchange.receive(request("CANCEL", branch=f"z9hG4bK{number}", call_id=str(number)))


async def never_acknowledged(exchange: Exchange, number: int) -> None:
    await inbound(exchange, number, TIMER)


async def dead_while_held(exchange: Exchange, number: int) -> None:
    call = await inbound(exchange, number, TIMER)
    exchange.receive(_within(call, "ACK", number, 1))
    hold = asyncio.create_task(call.leg.hold())
    await turn()
    await call.leg.hang_up()
    await asyncio.wait([hold])
    assert hold.exception() is not None


async def ours_refused(exchange: Exchange, number: int) -> None:
    call = Outbound(exchange)
    await turn()
    call.reply(183, body=OFFER)
    call.reply(486)
    with pytest.raises(DialError):
        await call.task


async def inbound(exchange: Exchange, number: int, extra: str = "") -> Inbound:
    exchange.receive(_invite(number, extra))
    await exchange.inbound[-1].answer()
    return Inbound(exchange, exchange.inbound[-1])


def _invite(number: int, extra: str = "") -> str:
    return request(
        "INVITE", branch=f"z9hG4bK{number}", call_id=str(number), body=OFFER, extra=extra
    )


def _within(call: Inbound, method: str, number: int, cseq: int) -> str:
    branch = f"z9hG4bK{number}.{cseq}.{method}"
    return request(method, branch=branch, call_id=str(number), to=call.to, cseq=cseq)


KINDS = (answered_then_bye, cancelled, never_acknowledged, dead_while_held, ours_refused)


def alive(kind: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


async def test_nothing_is_left_of_500_calls_of_every_kind() -> None:
    exchange = Exchange(LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS))
    tasks, before = len(asyncio.all_tasks()), sockets()
    legs = alive(SipLeg)
    grown = 0
    for number in range(WARM_UP + CALLS):
        if number == WARM_UP:
            grown = settled(exchange)
        await KINDS[number % len(KINDS)](exchange, number)
        exchange.clock.advance(2)
        exchange.sent.clear()
    grown = settled(exchange) - grown
    await turn()
    assert exchange.agent.alive == ()
    assert not exchange.agent._legs
    assert len(exchange.core.transactions) == 0
    assert exchange.clock.pending() == 0
    assert exchange.ports.held == 0
    assert (len(asyncio.all_tasks()), sockets(), alive(SipLeg)) == (tasks, before, legs)
    assert grown < MAX_GROWTH_OBJECTS
    exchange.close()


def settled(exchange: Exchange) -> int:
    """Living objects once every timer has run out and the test's own notes are thrown away."""
    exchange.clock.advance(2000)
    for notes in (exchange.sent, exchange.wire, exchange.inbound):
        notes.clear()
    gc.collect()
    return len(gc.get_objects())


async def test_nothing_is_left_of_real_calls() -> None:
    async def desk(leg: Leg) -> None:
        await leg.answer()
        async for _ in leg.events():
            pass

    settings = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, max_calls=500)
    tasks, before = len(asyncio.all_tasks()), sockets()
    here, there = SipLine(settings), SipLine(settings)
    await here.start(desk)
    await there.start(desk)
    target = f"sip:12345@127.0.0.1:{here.address[1]}"
    for _ in range(10):
        legs = await asyncio.gather(*(there.dial(target) for _ in range(10)))
        await asyncio.gather(*(leg.hang_up() for leg in legs))
        del legs
    await there.stop()
    await here.stop()
    assert here.counters()["calls_offered"] == 100
    await turn()
    assert (len(asyncio.all_tasks()), sockets()) == (tasks, before)
    assert alive(SipLeg) == 0
