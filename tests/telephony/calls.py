"""Calls under way on virtual time, for tests of what happens within them."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Callable

from telephony.sip.inbound import InboundLeg
from telephony.sip.message import Request, Response
from telephony.sip.outbound import OutboundLeg
from tests.telephony.virtual import OFFER, PEER, Exchange, reply_to, request

ALLOWS_UPDATE = "Allow: INVITE, ACK, BYE, UPDATE\r\n"
TIMER = "Supported: 100rel, timer\r\n"


async def turn() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Inbound:
    """A call that came in, answered; its requests are numbered from 2 on."""

    def __init__(self, exchange: Exchange, leg: InboundLeg) -> None:
        self.exchange = exchange
        self.leg = leg
        self.to = f"<sip:12345@127.0.0.1>;tag={leg.local_tag}"
        self._cseq = 1
        self._call = functools.partial(request, to=self.to)

    @classmethod
    async def open(cls, exchange: Exchange, extra: str = "", *, ack: bool = True) -> Inbound:
        exchange.receive(request("INVITE", body=OFFER, extra=extra))
        leg = exchange.inbound[-1]
        await leg.answer()
        call = cls(exchange, leg)
        if ack:
            call.ack(1)
        return call

    def ack(self, cseq: int, body: str = "") -> None:
        self.exchange.receive(self._call("ACK", branch=f"z9hG4bKa{cseq}", cseq=cseq, body=body))

    def send(self, method: str, *, body: str = "", extra: str = "") -> Response:
        """The line's last response to a request of the other side."""
        self._cseq += 1
        text = self._call(
            method, branch=f"z9hG4bK{self._cseq}", cseq=self._cseq, body=body, extra=extra
        )
        reply = self.exchange.receive(text)[-1]
        assert isinstance(reply, Response)
        return reply

    async def reply(self, method: str, status: int, *, body: str = "", extra: str = "") -> Request:
        """Answer our last request of ``method``; returns it."""
        asked = self.exchange.requests(method)[-1]
        self.exchange.receive(reply_to(asked, status, tag="them", extra=extra, body=body))
        await turn()
        return asked


class Outbound:
    """A call of ours."""

    def __init__(self, exchange: Exchange, on_early: Callable[[], None] | None = None) -> None:
        self.exchange = exchange
        self.leg = OutboundLeg(
            exchange.core,
            PEER,
            "sip:agent@127.0.0.1:5070",
            "12345",
            exchange.agent.forget,
            (lambda _: on_early()) if on_early else None,
        )
        self._branch = itertools.count()
        exchange.agent.add(self.leg)
        self.task = asyncio.create_task(self.leg.call(30))

    @property
    def invite(self) -> Request:
        return self.exchange.requests("INVITE")[-1]

    def reply(self, status: int, *, tag: str = "callee", extra: str = "", body: str = "") -> None:
        self.exchange.receive(reply_to(self.invite, status, tag=tag, extra=extra, body=body))

    def send(
        self, method: str, *, cseq: int = 1, tag: str = "callee", body: str = "", extra: str = ""
    ) -> Response:
        """The line's last response to a request of the callee."""
        reply = self.exchange.receive(
            request(
                method,
                branch=f"z9hG4bKc{next(self._branch)}",
                call_id=self.leg.id,
                tag=tag,
                to=f"<sip:12345@127.0.0.1>;tag={self.leg.local_tag}",
                cseq=cseq,
                body=body,
                extra=extra,
            )
        )[-1]
        assert isinstance(reply, Response)
        return reply

    async def answered(self, extra: str = "") -> None:
        """The callee answers."""
        await turn()
        self.reply(200, body=OFFER, extra=extra)
        await self.task
