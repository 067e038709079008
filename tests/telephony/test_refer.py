"""Transfers by REFER, on virtual time, with an other side made of text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.line import Ended, LegEvent, LineError, Referred
from telephony.sip.authenticator import Authenticator
from telephony.sip.dialog import Dialog
from telephony.sip.digest import Account
from telephony.sip.inbound import InboundLeg
from telephony.sip.message import Request, Response, parse_message
from telephony.sip.refer import referred_to, sipfrag_status
from tests.telephony.virtual import OFFER, PEER, Exchange, reply_to, request

DESK = "sip:2001@10.0.0.9"


class Transfer:
    """An answered call whose caller is to be passed on."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._cseq = 100

    async def begin(self) -> None:
        self.exchange.receive(request("INVITE", body=OFFER))
        self.leg: InboundLeg = self.exchange.inbound[0]
        await self.leg.answer()
        self.exchange.receive(self.within("ACK", cseq=1))
        self.task = asyncio.create_task(self.leg.refer(DESK, 30))
        await asyncio.sleep(0)

    def within(self, method: str, **more: object) -> str:
        to = f"<sip:12345@127.0.0.1>;tag={self.leg.local_tag}"
        self._cseq += 1
        words = {"cseq": self._cseq, "branch": f"z9hG4bK{method}{self._cseq}", "to": to, **more}
        return request(method, **words)  # type: ignore[arg-type]  # its own keywords

    @property
    def refer(self) -> Request:
        return self.exchange.requests("REFER")[-1]

    def reply(self, status: int, extra: str = "") -> None:
        self.exchange.receive(reply_to(self.refer, status, extra=extra))

    def notify(
        self, line: str, state: str = "active;expires=60", event: str = "refer"
    ) -> list[Request | Response]:
        return self.exchange.receive(
            self.within(
                "NOTIFY",
                extra=f"Event: {event}\r\nSubscription-State: {state}\r\n",
                body=f"{line}\r\n" if line else "",
                kind="message/sipfrag;version=2.0",
            )
        )

    async def code(self) -> str:
        with pytest.raises(LineError) as error:
            await self.task
        return error.value.code

    async def events(self) -> list[LegEvent]:
        return [event async for event in self.leg.events()]


@pytest.fixture
async def transfer(exchange: Exchange) -> AsyncIterator[Transfer]:
    transfer = Transfer(exchange)
    await transfer.begin()
    yield transfer
    transfer.task.cancel()
    await asyncio.gather(transfer.task, return_exceptions=True)


def statuses(sent: list[Request | Response]) -> list[int]:
    return [message.status for message in sent if isinstance(message, Response)]


async def test_accepted_and_told_to_the_end(transfer: Transfer, exchange: Exchange) -> None:
    refer = transfer.refer
    assert refer.target.text == "sip:alice@127.0.0.1:5070"
    assert refer.first("refer-to") == f"<{DESK}>"
    assert refer.first("referred-by") == "<sip:12345@127.0.0.1>"
    assert refer.first("contact")
    transfer.reply(202)
    for line in ("SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 180 Ringing"):
        assert statuses(transfer.notify(line)) == [200]
    assert not transfer.task.done()
    assert statuses(transfer.notify("SIP/2.0 200 OK", "terminated;reason=noresource")) == [200]
    assert await transfer.task == 200
    assert len(exchange.requests("BYE")) == 1
    told = await transfer.events()
    assert [event.status for event in told if isinstance(event, Referred)] == [100, 180, 200]
    assert told[-1] == Ended("transferred")
    assert exchange.counters["transfers_done"] == 1


async def test_the_target_refuses_and_the_call_goes_on(
    transfer: Transfer, exchange: Exchange
) -> None:
    transfer.reply(202)
    transfer.notify("SIP/2.0 503 Service Unavailable", "terminated;reason=noresource")
    assert await transfer.task == 503
    assert transfer.leg.ended is None
    assert exchange.requests("BYE") == []
    assert statuses(transfer.notify("SIP/2.0 200 OK")) == [481]


@pytest.mark.parametrize("status", [405, 420, 481, 603])
async def test_refused(transfer: Transfer, status: int) -> None:
    transfer.reply(status)
    assert await transfer.code() == "refer_refused"
    assert transfer.leg.ended is None


async def test_no_reply_at_all(transfer: Transfer, exchange: Exchange) -> None:
    exchange.clock.advance(29)
    assert not transfer.task.done()
    exchange.clock.advance(4)
    assert await transfer.code() == "refer_timeout"
    assert len(exchange.requests("REFER")) > 3


async def test_no_notify(transfer: Transfer, exchange: Exchange) -> None:
    transfer.reply(202)
    transfer.notify("SIP/2.0 100 Trying")
    exchange.clock.advance(31)
    assert await transfer.code() == "refer_timeout"
    assert transfer.leg.ended is None
    assert statuses(transfer.notify("SIP/2.0 200 OK")) == [481]


async def test_a_notify_that_overtakes_the_202(transfer: Transfer) -> None:
    transfer.notify("SIP/2.0 100 Trying")
    transfer.reply(202)
    transfer.notify("SIP/2.0 200 OK", "terminated")
    assert await transfer.task == 200


async def test_it_stops_telling(transfer: Transfer) -> None:
    transfer.reply(202)
    transfer.notify("SIP/2.0 180 Ringing", "terminated;reason=giveup")
    assert await transfer.code() == "refer_timeout"


async def test_taken_without_telling(transfer: Transfer) -> None:
    transfer.reply(202, extra="Refer-Sub: false\r\n")
    assert await transfer.task == 202
    assert transfer.leg.ended is None


async def test_the_caller_hangs_up_meanwhile(transfer: Transfer, exchange: Exchange) -> None:
    transfer.reply(202)
    exchange.receive(transfer.within("BYE"))
    assert await transfer.code() == "ended"
    with pytest.raises(LineError) as error:
        await transfer.leg.refer(DESK)
    assert error.value.code == "ended"


async def test_one_transfer_at_a_time(transfer: Transfer) -> None:
    with pytest.raises(LineError) as error:
        await transfer.leg.refer(DESK)
    assert error.value.code == "refer_pending"


async def test_news_of_another_transfer(transfer: Transfer) -> None:
    transfer.reply(202)
    old = transfer.refer.cseq - 1
    assert statuses(transfer.notify("SIP/2.0 200 OK", event=f"refer;id={old}")) == [481]
    assert statuses(transfer.notify("SIP/2.0 200 OK", event="presence")) == [481]
    assert statuses(transfer.notify("", event="refer")) == [200]
    for rubbish in ("x", "²", "", "9" * 50):
        assert statuses(transfer.notify("SIP/2.0 200", event=f"refer;id={rubbish}")) == [481]
    assert not transfer.task.done()
    transfer.notify("SIP/2.0 200 OK", event=f"refer;id={transfer.refer.cseq}")
    assert await transfer.task == 200


async def test_a_challenged_refer_goes_out_again(transfer: Transfer, exchange: Exchange) -> None:
    exchange.core.transactions.authenticator = Authenticator(
        Account("8001", "x"), lambda address: address == PEER, exchange.counters
    )
    transfer.reply(407, extra='Proxy-Authenticate: Digest realm="pbx", nonce="n"\r\n')
    first, second = exchange.requests("REFER")
    assert second.cseq == first.cseq + 1
    transfer.reply(202)
    transfer.notify("SIP/2.0 200 OK", event=f"refer;id={second.cseq}")
    assert await transfer.task == 200


async def test_attended_takes_the_place_of_our_call(transfer: Transfer) -> None:
    transfer.reply(603)
    assert await transfer.code() == "refer_refused"
    transfer.task = asyncio.create_task(transfer.leg.refer(DESK, 30, replaces=transfer.leg))
    await asyncio.sleep(0)
    tags = f"call-1%3Bto-tag%3Dthem%3Bfrom-tag%3D{transfer.leg.local_tag}"
    assert transfer.refer.first("refer-to") == f"<{DESK}?Replaces={tags}>"


async def test_an_unanswered_call_cannot_be_transferred(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    with pytest.raises(LineError) as error:
        await exchange.inbound[0].refer(DESK)
    assert error.value.code == "not_answered"


@pytest.mark.parametrize(
    "target", ["", "110", "http://x", "sip:a@b?Replaces=x", "sip:a@b>\r\nX: y", "sip:前门@b"]
)
def test_unfit_targets(target: str) -> None:
    with pytest.raises(LineError) as error:
        referred_to(target)
    assert error.value.code == "bad_target"


async def test_nobody_transfers_us(transfer: Transfer, exchange: Exchange) -> None:
    extra = "Refer-To: <tel:00881600000000>\r\n"
    sent = exchange.receive(transfer.within("REFER", extra=extra))
    sent += exchange.receive(request("REFER", branch="z9hG4bKr", extra=extra, call_id="x"))
    assert statuses(sent) == [405, 405]
    assert len(exchange.requests("INVITE")) == 0


async def test_a_notify_that_nobody_asked_for(exchange: Exchange) -> None:
    sent = exchange.receive(request("NOTIFY", extra="Event: refer\r\n"))
    assert statuses(sent) == [481]


@given(st.binary(max_size=80))
def test_any_fragment_is_a_status_or_none(body: bytes) -> None:
    head = request("NOTIFY", extra="Content-Type: message/sipfrag\r\n").encode()
    message = parse_message(
        head.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body
    )
    assert sipfrag_status(message) == 0 or 100 <= sipfrag_status(message) <= 699


def test_a_tel_target_replaces_nothing() -> None:
    dialog = Dialog("c", "a", "l", "b", "r", "sip:x", (), PEER)
    assert referred_to("tel:110", dialog) == "tel:110"
