"""What comes before the answer to a call of ours: its sound, forks, reliable responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from telephony.line import DialError, Ended, Held
from tests.telephony.calls import Outbound, turn
from tests.telephony.virtual import OFFER, Exchange

SECOND = OFFER.replace("40000", "40002")
RELIABLE = "Require: 100rel\r\nRSeq: {}\r\nContact: <sip:agent@127.0.0.1:5099>\r\n"


class Ringing:
    """A call of ours, and how often sound before its answer was announced."""

    def __init__(self, exchange: Exchange) -> None:
        self.times = 0
        self.call = Outbound(exchange, self._hear)

    def _hear(self) -> None:
        self.times += 1

    @property
    def target(self) -> tuple[str, int]:
        assert self.call.leg.media.stream is not None
        return self.call.leg.media.stream.target


@pytest.fixture
async def ringing(exchange: Exchange) -> AsyncIterator[Ringing]:
    ringing = Ringing(exchange)
    await turn()
    yield ringing
    ringing.call.task.cancel()
    await asyncio.gather(ringing.call.task, return_exceptions=True)


async def test_183_with_sdp_can_be_heard_and_the_200_goes_on(ringing: Ringing) -> None:
    call = ringing.call
    call.reply(180)
    assert (ringing.times, call.leg.media.stream) == (0, None)
    call.reply(183, body=OFFER)
    call.reply(183, body=OFFER)
    assert (ringing.times, ringing.target) == (1, ("127.0.0.1", 40000))
    assert not call.task.done()
    stream = call.leg.media.stream
    await call.answered()
    assert call.leg.media.stream is stream


async def test_180_with_sdp_can_be_heard_too(ringing: Ringing) -> None:
    ringing.call.reply(180, body=OFFER)
    assert ringing.times == 1


async def test_200_of_another_branch_of_a_fork_switches_the_media(ringing: Ringing) -> None:
    call = ringing.call
    call.reply(183, tag="one", body=OFFER)
    call.reply(183, tag="two", body=SECOND)
    assert (ringing.times, ringing.target) == (1, ("127.0.0.1", 40000))
    call.reply(200, tag="two", body=SECOND)
    await call.task
    assert ringing.target == ("127.0.0.1", 40002)
    assert call.leg.dialog is not None
    assert call.leg.dialog.remote_tag == "two"
    assert call.send("OPTIONS", tag="one").status == 481


async def test_refusal_after_183_ends_the_leg_and_frees_the_port(
    ringing: Ringing, exchange: Exchange
) -> None:
    ringing.call.reply(183, body=OFFER)
    ringing.call.reply(486)
    with pytest.raises(DialError) as error:
        await ringing.call.task
    assert error.value.code == "busy"
    assert ringing.call.leg.ended == Ended("rejected", 486)
    assert exchange.ports.held == 0


async def test_cancel_after_183(ringing: Ringing, exchange: Exchange) -> None:
    ringing.call.reply(183, body=OFFER)
    ringing.call.task.cancel()
    await asyncio.gather(ringing.call.task, return_exceptions=True)
    assert len(exchange.requests("CANCEL")) == 1
    ringing.call.reply(183, body=OFFER)
    assert exchange.ports.held == 0


@pytest.mark.parametrize(
    "body", [OFFER.replace("8 0 96", "18"), "rubbish", OFFER.replace("127.0.0.1", "a.example")]
)
async def test_unusable_sound_is_not_heard_and_the_call_rings_on(
    ringing: Ringing, body: str
) -> None:
    ringing.call.reply(183, body=body)
    assert ringing.times == 0
    await ringing.call.answered()


async def test_sound_that_is_one_way_is_no_hold(ringing: Ringing) -> None:
    ringing.call.reply(183, body=f"{OFFER}a=sendonly\r\n")
    await ringing.call.answered()
    ringing.call.leg.shut("hung_up")
    assert Held not in [type(event) async for event in ringing.call.leg.events()]


async def test_reliable_183_is_acknowledged_by_prack(ringing: Ringing, exchange: Exchange) -> None:
    call = ringing.call
    call.reply(183, body=OFFER, extra=RELIABLE.format(17))
    prack = exchange.requests("PRACK")[0]
    assert prack.first("rack") == f"17 {call.invite.cseq} INVITE"
    assert prack.target.text == "sip:agent@127.0.0.1:5099"
    assert (prack.to.tag, prack.cseq) == ("callee", call.invite.cseq + 1)
    assert ringing.times == 1
    call.reply(200, extra="Contact: <sip:agent@127.0.0.1:5099>\r\n")
    await call.task
    assert ringing.target == ("127.0.0.1", 40000), "the answer was in the 183"
    await call.leg.hang_up()
    assert exchange.requests("BYE")[0].cseq == prack.cseq + 1


async def test_reliable_responses_out_of_order_are_not_acknowledged(
    ringing: Ringing, exchange: Exchange
) -> None:
    call = ringing.call
    for number in (17, 19, 17, 18):
        call.reply(180, extra=RELIABLE.format(number))
    racks = [prack.first("rack").split()[0] for prack in exchange.requests("PRACK")]
    assert racks == ["17", "18"]


async def test_unreadable_rseq_is_survived(ringing: Ringing, exchange: Exchange) -> None:
    ringing.call.reply(180, extra=RELIABLE.format("many"))
    ringing.call.reply(180, tag="other", extra="Contact: <nothing>\r\n")
    assert exchange.requests("PRACK") == []
    assert exchange.counters["sip_rseq"] == 1
    await ringing.call.answered()


async def test_endless_forks_are_bounded(ringing: Ringing) -> None:
    for number in range(40):
        ringing.call.reply(180, tag=f"t{number}")
    statuses = [ringing.call.send("OPTIONS", tag=f"t{number}").status for number in (0, 15, 16)]
    assert statuses == [200, 200, 481]
    await ringing.call.answered()
