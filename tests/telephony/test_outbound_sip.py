"""Calls that we make, on virtual time, with a callee made of text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from telephony.line import DialError, Ended
from telephony.sip.message import Request
from telephony.sip.outbound import OutboundLeg
from tests.telephony.virtual import OFFER, Exchange, reply_to, request

AGENT = "sip:agent@127.0.0.1:5070"


class Call:
    """One call of ours under way."""

    def __init__(self, exchange: Exchange, timeout_s: float) -> None:
        self.exchange = exchange
        self.leg = OutboundLeg(
            exchange.core, ("127.0.0.1", 5070), AGENT, "12345", exchange.agent.forget
        )
        exchange.agent.add(self.leg)
        self.task = asyncio.create_task(self.leg.call(timeout_s))

    @property
    def invite(self) -> Request:
        return self.exchange.requests("INVITE")[0]

    def reply(self, status: int, *, tag: str = "callee", extra: str = "", body: str = "") -> None:
        self.exchange.receive(reply_to(self.invite, status, tag=tag, extra=extra, body=body))

    async def outcome(self) -> DialError | None:
        try:
            await self.task
        except DialError as error:
            return error
        return None


@pytest.fixture
async def call(exchange: Exchange) -> AsyncIterator[Call]:
    call = Call(exchange, 30)
    await asyncio.sleep(0)
    yield call
    if not call.task.done():
        call.task.cancel()


async def test_answered(call: Call, exchange: Exchange) -> None:
    assert call.invite.target.text == AGENT
    assert b"PCMA/8000" in call.invite.body
    call.reply(100)
    call.reply(180)
    call.reply(200, body=OFFER, extra="Contact: <sip:desk@127.0.0.1:5099>\r\n")
    assert await call.outcome() is None
    ack, destination = exchange.requests("ACK")[0], exchange.sent[-1][2]
    assert (ack.target.text, destination) == ("sip:desk@127.0.0.1:5099", ("127.0.0.1", 5099))
    assert ack.cseq == call.invite.cseq
    assert ack.vias[0].branch != call.invite.vias[0].branch
    assert call.leg.media.stream is not None


async def test_route_set_is_the_reverse_of_record_route(call: Call, exchange: Exchange) -> None:
    routes = "Record-Route: <sip:10.0.0.2;lr>, <sip:10.0.0.1:5080;lr>\r\n"
    call.reply(200, body=OFFER, extra=routes)
    assert await call.outcome() is None
    assert exchange.requests("ACK")[0].all("route") == (
        "<sip:10.0.0.1:5080;lr>",
        "<sip:10.0.0.2;lr>",
    )
    assert exchange.sent[-1][2] == ("10.0.0.1", 5080)


async def test_invite_repeats_until_a_provisional_response(call: Call, exchange: Exchange) -> None:
    exchange.clock.advance(1.6)
    assert len(exchange.requests("INVITE")) == 3
    call.reply(100)
    exchange.clock.advance(60)
    assert len(exchange.requests("INVITE")) == 3


async def test_nobody_there(call: Call, exchange: Exchange) -> None:
    exchange.clock.advance(33)
    assert len(exchange.requests("INVITE")) == 7
    error = await call.outcome()
    assert error is not None
    assert (error.code, error.status) == ("unreachable", 0)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (486, "busy"), (600, "busy"), (480, "no_answer"), (408, "no_answer"),
        (403, "rejected"), (407, "rejected"), (302, "rejected"), (603, "rejected"),
        (503, "unreachable"),
    ],
)  # fmt: skip
async def test_refused(call: Call, exchange: Exchange, status: int, code: str) -> None:
    call.reply(180)
    call.reply(status)
    error = await call.outcome()
    assert error is not None
    assert (error.code, error.status) == (code, status)
    ack = exchange.requests("ACK")[0]
    assert ack.vias[0].branch == call.invite.vias[0].branch
    assert ack.to.tag == "callee"
    call.reply(status)
    assert len(exchange.requests("ACK")) == 2
    assert call.leg.ended == Ended("rejected", status)


async def test_repeated_200_is_acknowledged_again(call: Call, exchange: Exchange) -> None:
    for _ in range(3):
        call.reply(200, body=OFFER)
    assert await call.outcome() is None
    assert len(exchange.requests("ACK")) == 3
    assert exchange.requests("BYE") == []


async def test_second_branch_of_a_fork_is_acknowledged_and_hung_up(
    call: Call, exchange: Exchange
) -> None:
    call.reply(200, tag="first", body=OFFER)
    call.reply(200, tag="second", body=OFFER)
    assert await call.outcome() is None
    assert [ack.to.tag for ack in exchange.requests("ACK")] == ["first", "second"]
    assert [bye.to.tag for bye in exchange.requests("BYE")] == ["second"]
    assert call.leg.ended is None


async def test_answer_without_a_common_codec(call: Call, exchange: Exchange) -> None:
    call.reply(200, body=OFFER.replace("8 0 96", "18"))
    error = await call.outcome()
    assert error is not None
    assert (error.code, error.status) == ("rejected", 488)
    assert len(exchange.requests("ACK")) == len(exchange.requests("BYE")) == 1


async def test_giving_up_while_it_rings_cancels(call: Call, exchange: Exchange) -> None:
    call.reply(180)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    cancel = exchange.requests("CANCEL")[0]
    assert cancel.vias[0].branch == call.invite.vias[0].branch
    assert (cancel.cseq, cancel.to.tag) == (call.invite.cseq, "")
    exchange.receive(reply_to(cancel, 200))
    call.reply(487)
    assert len(exchange.requests("ACK")) == 1
    assert call.leg.ended == Ended("hung_up")


async def test_time_out_cancels(exchange: Exchange) -> None:
    call = Call(exchange, 0.01)
    await asyncio.sleep(0)
    call.reply(180)
    error = await call.outcome()
    assert error is not None
    assert error.code == "no_answer"
    assert len(exchange.requests("CANCEL")) == 1


async def test_cancel_waits_for_a_provisional_response(call: Call, exchange: Exchange) -> None:
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert exchange.requests("CANCEL") == []
    call.reply(180)
    call.reply(180)
    assert len(exchange.requests("CANCEL")) == 1


async def test_200_that_crosses_our_cancel_is_acknowledged_and_hung_up(
    call: Call, exchange: Exchange
) -> None:
    call.reply(180)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    call.reply(200, body=OFFER)
    assert len(exchange.requests("CANCEL")) == 1
    assert len(exchange.requests("ACK")) == len(exchange.requests("BYE")) == 1
    call.reply(200, body=OFFER)
    assert len(exchange.requests("ACK")) == 2
    assert len(exchange.requests("BYE")) == 1


async def test_cancelled_invite_without_a_final_response_is_forgotten(
    call: Call, exchange: Exchange
) -> None:
    call.reply(180)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    exchange.clock.advance(70)
    assert len(exchange.core.transactions) == 0
    assert exchange.clock.pending() == 0


async def test_callee_hangs_up(call: Call, exchange: Exchange) -> None:
    call.reply(200, body=OFFER)
    assert await call.outcome() is None
    bye = request(
        "BYE",
        branch="z9hG4bKb",
        call_id=call.leg.id,
        tag="callee",
        to=f"<sip:12345@127.0.0.1>;tag={call.leg.local_tag}",
    )
    exchange.receive(bye)
    assert [event async for event in call.leg.events()] == [Ended("bye")]


async def test_our_bye_repeats_until_answered(call: Call, exchange: Exchange) -> None:
    call.reply(200, body=OFFER)
    assert await call.outcome() is None
    await call.leg.hang_up()
    exchange.clock.advance(1.6)
    assert len(exchange.requests("BYE")) == 3
    exchange.receive(reply_to(exchange.requests("BYE")[0], 200))
    exchange.clock.advance(60)
    assert len(exchange.requests("BYE")) == 3
    assert exchange.requests("BYE")[0].cseq > call.invite.cseq


async def test_stray_responses_are_counted(call: Call, exchange: Exchange) -> None:
    exchange.receive(reply_to(call.invite, 200, body=OFFER).replace("branch=z9hG", "branch=zzzz"))
    assert exchange.counters["sip_stray_response"] == 1
    assert not call.task.done()
