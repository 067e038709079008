"""Offers within a call: hold by us, hold by them, both, and offers that cross (RFC 3261 §14)."""

from __future__ import annotations

import asyncio

import pytest

from telephony.line import Ended, Held, LineError, Resumed
from tests.telephony.calls import Inbound, Outbound, turn
from tests.telephony.virtual import OFFER, Exchange

RECVONLY = f"{OFFER}a=recvonly\r\n"
SENDONLY = f"{OFFER}a=sendonly\r\n"
INACTIVE = f"{OFFER}a=inactive\r\n"


async def held(call: Inbound) -> None:
    """The call, put on hold by us."""
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 200, body=RECVONLY)
    await task


async def test_hold_and_resume_by_us(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await held(call)
    hold = exchange.requests("INVITE")[-1]
    assert b"a=sendonly" in hold.body
    assert hold.target.text == "sip:alice@127.0.0.1:5070"
    assert (hold.sender.tag, hold.to.tag) == (call.leg.local_tag, "them")
    assert hold.first("contact")
    ack = exchange.requests("ACK")[-1]
    assert (ack.cseq, ack.vias[0].branch == hold.vias[0].branch) == (hold.cseq, False)
    assert call.leg.media.stream is not None
    assert call.leg.media.stream.tick() is not None, "music on hold is heard"
    task = asyncio.create_task(call.leg.resume())
    await turn()
    resume = await call.reply("INVITE", 200, body=OFFER)
    await task
    assert b"a=sendrecv" in resume.body
    assert resume.cseq == hold.cseq + 1


async def test_description_keeps_its_lines_and_numbers_and_its_version_goes_up(
    exchange: Exchange,
) -> None:
    video = "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
    head, audio = OFFER.split("m=audio")
    call = await Inbound.open(exchange)
    call.send("INVITE", body=f"{head}{video}m=audio{audio}")
    call.ack(2)
    await held(call)
    body = exchange.requests("INVITE")[-1].body.decode()
    assert body.index("m=video 0 ") < body.index("m=audio")
    assert "m=audio" in body
    assert " RTP/AVP 8 0 96" in body
    versions = [
        int(message.body.split(b"o=- ")[1].split()[1])
        for _, message, _ in exchange.sent
        if message.body
    ]
    assert versions == sorted(set(versions))


async def test_hold_twice_asks_once(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await held(call)
    await call.leg.hold()
    assert len(exchange.requests("INVITE")) == 1


async def test_hold_waits_for_the_ack_of_our_200(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, ack=False)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    assert exchange.requests("INVITE") == []
    call.ack(1)
    await turn()
    await call.reply("INVITE", 200, body=RECVONLY)
    await task


async def test_both_hold(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    call.send("INVITE", body=SENDONLY)
    call.ack(2)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    assert b"a=inactive" in (await call.reply("INVITE", 200, body=INACTIVE)).body
    await task
    # They take us back, we do not: they hear us, we do not hear them.
    assert b"a=sendonly" in call.send("INVITE", body=OFFER).body
    call.ack(3)
    task = asyncio.create_task(call.leg.resume())
    await turn()
    assert b"a=sendrecv" in (await call.reply("INVITE", 200, body=OFFER)).body
    await task
    call.leg.shut("hung_up")
    assert [type(event) async for event in call.leg.events()] == [Held, Resumed, Ended]


async def test_refused_hold_leaves_the_call_as_it_was(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 488)
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "refused"
    assert call.leg.ended is None
    assert b"a=sendrecv" in call.send("INVITE", body=OFFER).body


@pytest.mark.parametrize("status", [408, 481])
async def test_hold_of_a_dialog_that_is_gone_ends_the_call(exchange: Exchange, status: int) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", status)
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "ended"
    assert call.leg.ended == Ended("error", status)
    assert len(exchange.requests("BYE")) == 1


async def test_unanswered_hold_ends_the_call(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    exchange.clock.advance(33)
    with pytest.raises(LineError):
        await task
    assert call.leg.ended == Ended("error", 0)


async def test_hold_that_only_rings_is_cancelled(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 180)
    exchange.clock.advance(32.1)
    assert len(exchange.requests("CANCEL")) == 1
    await call.reply("CANCEL", 200)
    await call.reply("INVITE", 487)
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "refused"
    assert call.leg.ended is None


async def test_caller_hangs_up_while_we_ask(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    call.send("BYE")
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "ended"
    await call.reply("INVITE", 200, body=RECVONLY)
    assert len(exchange.requests("ACK")) == 1, "even then the 200 is acknowledged"


async def test_repeated_200_is_acknowledged_again(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await held(call)
    await call.reply("INVITE", 200, body=RECVONLY)
    assert len(exchange.requests("ACK")) == 2


async def test_unusable_answer_ends_the_call(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 200, body=OFFER.replace("8 0 96", "18"))
    with pytest.raises(LineError):
        await task
    assert call.leg.ended == Ended("error", 488)
    assert len(exchange.requests("ACK")) == len(exchange.requests("BYE")) == 1


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_glare_their_offer_while_ours_is_pending(exchange: Exchange, method: str) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    assert call.send(method, body=OFFER).status == 491
    await call.reply("INVITE", 200, body=RECVONLY)
    await task


async def test_glare_ours_is_refused_and_comes_again(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    await call.reply("INVITE", 491)
    assert b"a=recvonly" in call.send("INVITE", body=SENDONLY).body
    call.ack(2)
    exchange.clock.advance(2.0)
    await turn()
    hold = await call.reply("INVITE", 200, body=INACTIVE)
    await task
    assert len(exchange.requests("INVITE")) == 2
    assert b"a=inactive" in hold.body


async def test_owner_of_the_call_id_waits_longer(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await call.answered()
    task = asyncio.create_task(call.leg.hold())
    await turn()
    call.reply(491)
    await turn()
    exchange.clock.advance(2.09)
    await turn()
    assert len(exchange.requests("INVITE")) == 2
    exchange.clock.advance(1.92)
    await turn()
    assert len(exchange.requests("INVITE")) == 3
    call.reply(200, body=RECVONLY)
    await task


async def test_endless_glare_is_given_up(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    task = asyncio.create_task(call.leg.hold())
    await turn()
    while not task.done():
        await call.reply("INVITE", 491)
        exchange.clock.advance(2)
        await turn()
    with pytest.raises(LineError) as error:
        await task
    assert error.value.code == "refused"
    assert len(exchange.requests("INVITE")) == 5
    assert call.leg.ended is None


async def test_reinvite_without_offer_keeps_our_hold(exchange: Exchange) -> None:
    call = await Inbound.open(exchange)
    await held(call)
    assert b"a=sendonly" in call.send("INVITE").body
    # An offer of theirs before the answer to ours, which the ACK brings, crosses it.
    assert call.send("INVITE", body=OFFER).status == 491
    call.ack(2, RECVONLY)


async def test_nothing_to_hold_before_the_answer(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await turn()
    with pytest.raises(LineError) as error:
        await call.leg.hold()
    assert error.value.code == "not_answered"
    call.reply(486)
    await asyncio.wait([call.task])
    assert call.task.exception() is not None
    with pytest.raises(LineError) as error:
        await call.leg.resume()
    assert error.value.code == "ended"
