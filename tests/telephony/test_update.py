"""UPDATE (RFC 3311), before and after the answer, with and without an offer."""

from __future__ import annotations

import asyncio

from telephony.line import Ended, Held
from tests.telephony.calls import Inbound, Outbound, turn
from tests.telephony.virtual import OFFER, Exchange, request


async def test_with_an_offer_is_answered_like_a_reinvite(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    reply = call.send("UPDATE", body=f"{OFFER}a=sendonly\r\n")
    assert reply.status == 200
    assert reply.first("content-type") == "application/sdp"
    assert b"a=recvonly" in reply.body
    assert reply.first("contact")
    assert call.leg.media.stream is not None
    assert call.leg.media.stream.tick() is None
    call.leg.shut("hung_up")
    assert [type(event) async for event in call.leg.events()] == [Held, Ended]


async def test_without_an_offer_moves_the_target(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    text = request(
        "UPDATE",
        branch="z9hG4bKu",
        to=call.to,
        cseq=2,
        contact="Contact: <sip:alice@127.0.0.1:5099>\r\n",
    )
    reply = exchange.receive(text)[-1]
    assert reply.body == b""
    await call.leg.hang_up()
    assert exchange.sent[-1][2] == ("127.0.0.1", 5099)


async def test_unfit_offer_changes_nothing(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    assert call.send("UPDATE", body=OFFER.replace("8 0 96", "18")).status == 488
    assert call.send("UPDATE", body="nothing").status == 400
    assert call.leg.ended is None


async def test_before_our_answer(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    call = Inbound(exchange, exchange.inbound[0])
    await call.leg.ring()
    refused = call.send("UPDATE", body=OFFER)
    assert (refused.status, refused.first("retry-after") != "") == (500, True)
    assert call.send("UPDATE").status == 200
    await call.leg.answer()
    assert len(exchange.responses(200)) == 2


async def test_before_our_answer_to_a_call_without_an_offer(exchange: Exchange) -> None:
    exchange.receive(request("INVITE"))
    call = Inbound(exchange, exchange.inbound[0])
    await call.leg.ring()
    assert call.send("UPDATE", body=OFFER).status == 500
    await call.leg.answer()
    assert call.send("UPDATE", body=OFFER).status == 491, "our offer in the 200 is pending"


async def test_before_the_answer_to_our_call(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await turn()
    call.reply(180)
    assert call.send("UPDATE", cseq=1).status == 200
    assert call.send("UPDATE", cseq=2, body=OFFER).status == 491, "our own offer is pending"
    assert call.send("UPDATE", cseq=3, tag="stranger").status == 481
    call.reply(200, body=OFFER)
    await call.task
    assert call.send("UPDATE", cseq=2).status == 500, "the numbers go on from the early dialog"
    assert call.send("UPDATE", cseq=4, body=OFFER).status == 200


async def test_after_the_end(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await call.leg.hang_up()
    assert call.send("UPDATE").status == 481


async def test_we_allow_it(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await turn()
    assert "UPDATE" in call.invite.all("allow")
    call.task.cancel()
    await asyncio.wait([call.task])
