"""The layer below calls: RFC 3261 timers of both sides, and that nothing is kept for ever."""

from __future__ import annotations

import functools

from telephony.sip.message import Outgoing, Request, Response
from tests.telephony.virtual import OFFER, Exchange, reply_to, request

DESTINATION = ("127.0.0.1", 5070)
OPTIONS = Outgoing(
    "OPTIONS",
    "sip:peer@127.0.0.1:5070",
    [
        ("From", "<sip:us@127.0.0.1>;tag=1"),
        ("To", "<sip:peer@127.0.0.1>"),
        ("Call-ID", "ours"),
        ("CSeq", "1 OPTIONS"),
    ],
)


class Asked:
    """One OPTIONS of ours and what came of it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.statuses: list[int] = []
        self.timeouts = 0
        exchange.core.transactions.request(OPTIONS, DESTINATION, self._on_response, self._late)

    def _on_response(self, response: Response) -> None:
        self.statuses.append(response.status)

    def _late(self) -> None:
        self.timeouts += 1

    def times(self) -> list[float]:
        return [at for at, message, _ in self.exchange.sent if isinstance(message, Request)]

    def reply(self, status: int) -> None:
        self.exchange.receive(reply_to(self.exchange.requests("OPTIONS")[0], status))


async def test_request_is_repeated_at_e_and_given_up_at_f(exchange: Exchange) -> None:
    asked = Asked(exchange)
    exchange.clock.advance(100)
    assert asked.times() == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert (asked.statuses, asked.timeouts) == ([], 1)
    assert len(exchange.core.transactions) == exchange.clock.pending() == 0


async def test_provisional_response_slows_to_t2(exchange: Exchange) -> None:
    asked = Asked(exchange)
    exchange.clock.advance(0.1)
    asked.reply(100)
    exchange.clock.advance(9)
    assert asked.times() == [0, 0.5, 4.5, 8.5]


async def test_final_response_counts_once_and_is_absorbed_for_k(exchange: Exchange) -> None:
    asked = Asked(exchange)
    for _ in range(3):
        asked.reply(200)
    exchange.clock.advance(4.9)
    assert len(exchange.core.transactions) == 1
    exchange.clock.advance(0.2)
    assert len(exchange.core.transactions) == exchange.clock.pending() == 0
    asked.reply(200)
    assert (asked.statuses, asked.timeouts) == ([200], 0)
    assert exchange.counters == {"sip_stray_response": 1}


async def test_same_request_gets_the_same_bytes_for_j(exchange: Exchange) -> None:
    exchange.receive(request("OPTIONS"))
    exchange.clock.advance(31)
    exchange.receive(request("OPTIONS"))
    assert exchange.wire[0] == exchange.wire[1]
    exchange.clock.advance(2)
    assert len(exchange.core.transactions) == 0
    exchange.receive(request("OPTIONS"))
    assert exchange.wire[2] != exchange.wire[0]


async def test_refused_invite_is_given_up_at_h(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER.replace("8 0 96", "18")))
    exchange.clock.advance(31.9)
    assert len(exchange.responses(488)) == 11
    exchange.clock.advance(1)
    assert len(exchange.core.transactions) == exchange.clock.pending() == 0


async def test_senders_older_than_rfc_3261_are_told_apart(exchange: Exchange) -> None:
    exchange.receive(request("OPTIONS", branch="1"))
    exchange.receive(request("OPTIONS", branch="1"))
    exchange.receive(request("OPTIONS", branch="1", cseq=2))
    assert exchange.counters["sip_retransmitted_request"] == 1
    assert len(exchange.core.transactions) == 2


async def test_many_calls_leave_nothing(exchange: Exchange) -> None:
    for number in range(200):
        exchange.receive(
            request("INVITE", branch=f"z9hG4bK{number}", call_id=str(number), body=OFFER)
        )
        leg = exchange.inbound[-1]
        await leg.answer()
        to = f"<sip:12345@127.0.0.1>;tag={leg.local_tag}"
        call = functools.partial(request, call_id=str(number), to=to)
        exchange.receive(call("ACK", branch=f"z9hG4bKa{number}"))
        exchange.receive(call("BYE", branch=f"z9hG4bKb{number}", cseq=2))
    assert exchange.agent.alive == ()
    assert exchange.ports.held == 0
    exchange.clock.advance(33)
    assert len(exchange.core.transactions) == exchange.clock.pending() == 0
    assert not exchange.agent._legs
