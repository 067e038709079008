"""Requests of ours that are challenged, on virtual time, with a peer made of text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from telephony.line import DialError
from telephony.sip.authenticator import Authenticator
from telephony.sip.digest import Account, Asked, Challenge, authorization
from telephony.sip.message import Request, parse_message
from telephony.sip.outbound import OutboundLeg
from tests.telephony.virtual import OFFER, PEER, Exchange, reply_to

ACCOUNT = Account("8001", "tiger's milk")
TARGET = "sip:agent@127.0.0.1:5070"


def challenge(status: int, realm: str = "pbx", nonce: str = "n1", more: str = "") -> str:
    name = {401: "WWW", 407: "Proxy"}[status]
    return f'{name}-Authenticate: Digest realm="{realm}", nonce="{nonce}", qop="auth"{more}\r\n'


class Call:
    """A call of ours by way of a PBX that asks who we are."""

    def __init__(self, exchange: Exchange, account: Account = ACCOUNT) -> None:
        self.exchange = exchange
        exchange.core.transactions.authenticator = Authenticator(
            account, lambda address: address == PEER, exchange.counters, lambda: "c0"
        )
        self.leg = OutboundLeg(exchange.core, PEER, TARGET, "12345", exchange.agent.forget)
        exchange.agent.add(self.leg)
        self.task = asyncio.create_task(self.leg.call(30))

    @property
    def invites(self) -> list[Request]:
        return self.exchange.requests("INVITE")

    def reply(self, status: int, *, extra: str = "", body: str = "") -> None:
        self.exchange.receive(reply_to(self.invites[-1], status, extra=extra, body=body))

    async def answered(self) -> None:
        self.reply(200, body=OFFER)
        await self.task

    async def refused(self) -> DialError:
        with pytest.raises(DialError) as error:
            await self.task
        return error.value


@pytest.fixture
async def call(exchange: Exchange) -> AsyncIterator[Call]:
    call = Call(exchange)
    await asyncio.sleep(0)
    yield call
    call.task.cancel()
    await asyncio.gather(call.task, return_exceptions=True)


def expected(request: Request, asked: Challenge, count: int = 1) -> str:
    text = request.target.text
    return authorization(asked, ACCOUNT, Asked(request.method, text, request.body), count, "c0")


@pytest.mark.parametrize(
    ("status", "header"), [(401, "authorization"), (407, "proxy-authorization")]
)
async def test_a_challenged_invite_goes_out_again_with_credentials(
    call: Call, exchange: Exchange, status: int, header: str
) -> None:
    call.reply(100)
    call.reply(status, extra=challenge(status))
    first, second = call.invites
    assert exchange.requests("ACK")[0].vias[0].branch == first.vias[0].branch
    assert (second.call_id, second.sender.tag) == (first.call_id, first.sender.tag)
    assert second.cseq == first.cseq + 1
    assert second.vias[0].branch != first.vias[0].branch
    assert second.first(header) == expected(second, Challenge("pbx", "n1", qop="auth"))
    await call.answered()
    ack = exchange.requests("ACK")[1]
    assert (ack.cseq, ack.first(header)) == (second.cseq, second.first(header))


async def test_our_bye_is_challenged_too(call: Call, exchange: Exchange) -> None:
    call.reply(407, extra=challenge(407))
    await call.answered()
    await call.leg.hang_up()
    exchange.receive(reply_to(exchange.requests("BYE")[0], 407, extra=challenge(407)))
    invite, (first, second) = call.invites[-1], exchange.requests("BYE")
    assert [first.cseq, second.cseq] == [invite.cseq + 1, invite.cseq + 2]
    asked = Challenge("pbx", "n1", qop="auth")
    assert second.first("proxy-authorization") == expected(second, asked, count=2)
    exchange.receive(reply_to(second, 200))
    exchange.clock.advance(60)
    assert len(exchange.requests("BYE")) == 2


async def test_our_re_invite_is_challenged_too(call: Call, exchange: Exchange) -> None:
    await call.answered()
    holding = asyncio.create_task(call.leg.hold())
    await asyncio.sleep(0)
    call.reply(407, extra=challenge(407))
    first, second, third = call.invites
    assert [first.cseq, second.cseq, third.cseq] == [1, 2, 3]
    assert b"sendonly" in third.body
    call.reply(200, body=OFFER)
    await holding
    ack = exchange.requests("ACK")[-1]
    assert (ack.cseq, ack.first("proxy-authorization")) == (3, third.first("proxy-authorization"))
    assert call.leg.ended is None


async def test_our_options_are_challenged_too(call: Call, exchange: Exchange) -> None:
    await call.answered()
    probing = asyncio.create_task(call.leg.probe())
    await asyncio.sleep(0)
    (first,) = exchange.requests("OPTIONS")
    exchange.receive(reply_to(first, 407, extra=challenge(407)))
    _, second = exchange.requests("OPTIONS")
    assert second.cseq == first.cseq + 1
    exchange.receive(reply_to(second, 200))
    assert await probing


async def test_a_wrong_password_makes_no_loop(call: Call, exchange: Exchange) -> None:
    call.reply(407, extra=challenge(407))
    call.reply(407, extra=challenge(407, nonce="n2"))
    error = await call.refused()
    assert (error.code, error.status) == ("rejected", 407)
    assert len(call.invites) == 2
    assert exchange.counters["sip_unauthorized"] == 1


async def test_a_stale_nonce_is_no_wrong_password(call: Call) -> None:
    call.reply(407, extra=challenge(407))
    call.reply(407, extra=challenge(407, nonce="n2", more=", stale=true"))
    assert len(call.invites[-1].all("proxy-authorization")) > 0
    assert call.invites[-1].headers["proxy-authorization"] == (
        expected(call.invites[-1], Challenge("pbx", "n2", qop="auth", stale=True)),
    )
    call.reply(407, extra=challenge(407, nonce="n3", more=", stale=true"))
    assert (await call.refused()).code == "rejected"
    assert len(call.invites) == 3


async def test_a_proxy_and_the_callee_may_both_ask(call: Call) -> None:
    call.reply(407, extra=challenge(407))
    call.reply(401, extra=challenge(401, realm="desk", nonce="d"))
    last = call.invites[-1]
    assert 'realm="pbx"' in last.first("proxy-authorization")
    assert 'realm="desk"' in last.first("authorization")
    await call.answered()


async def test_the_first_challenge_that_we_know_is_answered(call: Call) -> None:
    extra = 'Proxy-Authenticate: Digest realm="pbx", nonce="x", algorithm=AKAv1-MD5\r\n'
    extra += challenge(407, nonce="sha", more=", algorithm=SHA-256") + challenge(407)
    call.reply(407, extra=extra)
    assert 'nonce="sha"' in call.invites[-1].first("proxy-authorization")
    await call.answered()


@pytest.mark.parametrize("extra", ["", "Proxy-Authenticate: Basic realm=pbx\r\n"])
async def test_what_cannot_be_answered_is_a_refusal(call: Call, extra: str) -> None:
    call.reply(407, extra=extra)
    assert (await call.refused()).status == 407


async def test_another_realm_gets_no_credentials(exchange: Exchange) -> None:
    call = Call(exchange, Account("8001", "x", realm="elsewhere"))
    await asyncio.sleep(0)
    call.reply(407, extra=challenge(407))
    assert (await call.refused()).status == 407
    assert len(call.invites) == 1


async def test_a_stranger_gets_no_credentials(exchange: Exchange) -> None:
    call = Call(exchange)
    call.leg.peer = ("127.0.0.1", 5099)
    await asyncio.sleep(0)
    call.reply(407, extra=challenge(407))
    assert (await call.refused()).status == 407


async def test_a_challenge_after_giving_up_calls_nobody(call: Call) -> None:
    call.task.cancel()
    await asyncio.gather(call.task, return_exceptions=True)
    call.reply(407, extra=challenge(407))
    assert len(call.invites) == 1


async def test_giving_up_cancels_the_second_invite(call: Call, exchange: Exchange) -> None:
    call.reply(180)
    call.reply(407, extra=challenge(407))
    call.reply(180)
    call.task.cancel()
    await asyncio.gather(call.task, return_exceptions=True)
    (cancel,) = exchange.requests("CANCEL")
    assert (cancel.cseq, cancel.vias[0].branch) == (2, call.invites[1].vias[0].branch)
    call.reply(487)


async def test_no_password_on_the_wire(call: Call, exchange: Exchange) -> None:
    call.reply(407, extra=challenge(407))
    await call.answered()
    assert not any(b"tiger" in data for data in exchange.wire)
    assert all(parse_message(data) for data in exchange.wire)
    assert re.search(r'response="[0-9a-f]{32}"', exchange.wire[-2].decode())
