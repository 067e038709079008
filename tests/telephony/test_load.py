"""More calls than there is room for, too fast, or while the line goes: refused politely."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from telephony.line import Ended, LineError, LineSettings
from telephony.sip.message import Response
from telephony.sip.settings import checked
from tests.telephony.calls import Inbound
from tests.telephony.virtual import OFFER, RTP_PORTS, Exchange, request


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    exchange = Exchange(
        LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS, max_calls=8, max_setups_per_s=3)
    )
    yield exchange
    exchange.close()


def offered(exchange: Exchange, number: int) -> Response:
    """The line's answer to one more call."""
    text = request("INVITE", branch=f"z9hG4bK{number}", call_id=str(number), body=OFFER)
    reply = exchange.receive(text)[-1]
    assert isinstance(reply, Response)
    return reply


async def test_faster_than_allowed(exchange: Exchange) -> None:
    replies = [offered(exchange, number) for number in range(5)]
    assert [reply.status for reply in replies] == [100, 100, 100, 503, 503]
    assert replies[-1].first("retry-after") == "5"
    assert exchange.counters["calls_too_fast"] == 2
    exchange.clock.advance(1)
    assert offered(exchange, 9).status == 100


async def test_repeated_invite_of_a_refused_call_is_no_new_one(exchange: Exchange) -> None:
    for number in (0, 1, 2, 3, 3, 3):
        offered(exchange, number)
    assert exchange.counters["calls_offered"] == 4


async def test_full_and_room_again(exchange: Exchange) -> None:
    statuses = []
    for number in range(9):
        exchange.clock.advance(0.4)
        statuses.append(offered(exchange, number).status)
    assert statuses == [100] * 8 + [486]
    exchange.inbound[0].shut("hung_up")
    exchange.clock.advance(1)
    assert offered(exchange, 10).status == 100
    assert exchange.counters["calls_full"] == 1


async def test_draining_lets_calls_finish(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    exchange.agent.draining = True
    refused = offered(exchange, 5)
    assert (refused.status, refused.first("retry-after")) == (503, "5")
    assert call.send("OPTIONS").status == 200, "within a call it is no question of new ones"
    assert b"a=recvonly" in call.send("INVITE", body=f"{OFFER}a=sendonly\r\n").body
    call.ack(3)
    assert call.send("BYE").status == 200
    assert call.leg.ended == Ended("bye")


async def test_no_183_of_ours(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, "Supported: 100rel\r\n")
    await call.leg.ring()
    assert sorted(exchange.statuses()) == [100, 200]


@pytest.mark.parametrize(
    "extra", ["Require: timer\r\n", "Require: Timer\r\n", "Proxy-Require: sec-agree\r\n"]
)
async def test_extensions_that_stop_no_call(exchange: Exchange, extra: str) -> None:
    exchange.receive(request("INVITE", body=OFFER, extra=f"Supported: timer\r\n{extra}"))
    assert len(exchange.inbound) == 1


async def test_what_we_can_is_said(exchange: Exchange) -> None:
    options = exchange.receive(request("OPTIONS"))[-1]
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"} <= set(
        options.all("allow")
    )
    assert options.all("supported") == ("timer",)
    assert options.all("accept") == ("application/sdp",)


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PRACK", "PUBLISH", "REGISTER"])
async def test_methods_that_a_call_does_not_take(exchange: Exchange, method: str) -> None:
    call = await Inbound.open(exchange)
    reply = call.send(method)
    assert (reply.status, "BYE" in reply.all("allow")) == (405, True)
    assert call.leg.ended is None


@pytest.mark.parametrize("method", ["FROBNICATE", "invite", "Bye"])
async def test_methods_that_nobody_knows(exchange: Exchange, method: str) -> None:
    call = await Inbound.open(exchange)
    assert call.send(method).status == 501
    assert call.leg.ended is None


@pytest.mark.parametrize(
    "settings",
    [
        LineSettings(host="127.0.0.1", session_expires_s=60),
        LineSettings(host="127.0.0.1", dead_after_s=-1),
        LineSettings(host="127.0.0.1", max_setups_per_s=-1),
    ],
)
def test_settings_that_cannot_be(settings: LineSettings) -> None:
    with pytest.raises(LineError) as error:
        checked(settings)
    assert error.value.code == "bad_settings"
