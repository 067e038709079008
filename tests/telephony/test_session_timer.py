"""Session timers (RFC 4028), as either side, on virtual time."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.line import DialError, Ended, LineSettings
from telephony.sip.error import SipError
from telephony.sip.message import Request, Response, parse_message
from telephony.sip.session_timer import (
    Terms,
    agreed,
    answered,
    asking,
    read_expires,
    read_min_se,
)
from tests.telephony.calls import ALLOWS_UPDATE, TIMER, Inbound, Outbound, turn
from tests.telephony.virtual import OFFER, RTP_PORTS, Exchange, request


def asked(extra: str) -> Request:
    message = parse_message(request("INVITE", extra=extra).encode())
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("header", "seconds", "refresher"),
    [
        ("Session-Expires: 1800\r\n", 1800, None),
        ("x: 1800;refresher=uas\r\n", 1800, "uas"),
        ("session-expires:  90 ; other=1 ; REFRESHER = UAC \r\n", 90, "uac"),
        ("Session-Expires: 1800;refresher=nobody\r\n", 1800, None),
    ],
)
def test_session_expires(header: str, seconds: int, refresher: str | None) -> None:
    assert read_expires(asked(header)) == (seconds, refresher)


@pytest.mark.parametrize("value", ["", "-1", "90s", "99999999999", "½", "١٨٠٠"])
def test_malformed_interval(value: str) -> None:
    message = asked(f"Session-Expires: {value},\r\nMin-SE: {value},\r\n")
    for read in (read_expires, read_min_se):
        with pytest.raises(SipError) as error:
            read(message)
        assert error.value.code == "session_expires"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30))
def test_any_interval_is_read_or_refused(value: str) -> None:
    message = asked(f"Session-Expires: 1{value}\r\n")
    with contextlib.suppress(SipError):
        terms, headers = answered(message, 1800)
        assert terms is not None
        assert 90 <= terms.interval_s <= 86_400
        assert headers


@pytest.mark.parametrize(
    ("extra", "terms", "says", "requires"),
    [
        # RFC 4028 table 2: who can refresh, who asked for it, who does.
        ("", None, "", False),
        (TIMER, Terms(1800, ours=True), "1800;refresher=uas", False),
        (f"{TIMER}Min-SE: 3600\r\n", Terms(3600, ours=True), "3600;refresher=uas", False),
        (f"{TIMER}x: 600\r\n", Terms(600, ours=False), "600;refresher=uac", True),
        (f"{TIMER}x: 600;refresher=uac\r\n", Terms(600, ours=False), "600;refresher=uac", True),
        (f"{TIMER}x: 600;refresher=uas\r\n", Terms(600, ours=True), "600;refresher=uas", False),
        ("x: 600;refresher=uac\r\n", Terms(600, ours=True), "600;refresher=uas", False),
        ("x: 30\r\n", Terms(90, ours=True), "90;refresher=uas", False),
        (f"{TIMER}x: 999999\r\n", Terms(86_400, ours=False), "86400;refresher=uac", True),
    ],
)
def test_terms_as_server(extra: str, terms: Terms | None, says: str, requires: bool) -> None:
    found, headers = answered(asked(extra), 1800)
    assert found == terms
    assert dict(headers).get("Session-Expires", "") == says
    assert ("Require" in dict(headers)) == requires


def test_terms_as_client() -> None:
    assert asking(0) == [("Supported", "timer")]
    assert dict(asking(1800, 3600, "uac")) == {
        "Supported": "timer",
        "Session-Expires": "3600;refresher=uac",
        "Min-SE": "3600",
    }
    assert agreed(asked("")) is None
    assert agreed(asked("x: rubbish\r\n")) is None
    assert agreed(asked("x: 1800;refresher=uas\r\n")) == Terms(1800, ours=False)
    assert agreed(asked("x: 60\r\n")) == Terms(90, ours=True)


async def test_too_small_interval_is_refused_with_422(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER, extra=f"{TIMER}Session-Expires: 60\r\n"))
    assert exchange.inbound == []
    refusal = exchange.responses(422)[0]
    assert refusal.first("min-se") == "90"
    assert exchange.counters["calls_refused_422"] == 1


async def test_too_small_interval_within_the_call_changes_nothing(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}Session-Expires: 600;refresher=uac\r\n")
    for method, body in (("UPDATE", ""), ("INVITE", OFFER)):
        reply = call.send(method, body=body, extra=f"{TIMER}Session-Expires: 60\r\n")
        assert (reply.status, reply.first("min-se")) == (422, "90")
    assert call.leg.ended is None


async def test_caller_who_must_refresh_and_does_not_is_hung_up(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}Session-Expires: 600;refresher=uac\r\n")
    ok = exchange.responses(200)[0]
    assert ok.first("session-expires") == "600;refresher=uac"
    assert ok.all("require") == ("timer",)
    exchange.clock.advance(567.9)
    assert exchange.agent.alive == (call.leg,)
    exchange.clock.advance(0.2)
    assert call.leg.ended == Ended("error")
    assert len(exchange.requests("BYE")) == 1


@pytest.mark.parametrize(("method", "body"), [("UPDATE", ""), ("INVITE", OFFER)])
async def test_caller_who_refreshes_stays(exchange: Exchange, method: str, body: str) -> None:
    terms = f"{TIMER}Session-Expires: 600;refresher=uac\r\n"
    call = await Inbound.open(exchange, terms)
    for number in range(5):
        exchange.clock.advance(300)
        reply = call.send(method, body=body, extra=terms)
        assert reply.first("session-expires") == "600;refresher=uac"
        if body:
            call.ack(number + 2)
    exchange.clock.advance(560)
    assert exchange.agent.alive == (call.leg,)
    exchange.clock.advance(10)
    assert call.leg.ended is not None


async def test_we_refresh_by_update_where_it_is_allowed(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    for _ in range(4):
        exchange.clock.advance(300)
        await turn()
        update = await call.reply(
            "UPDATE", 200, extra="Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n"
        )
        assert update.body == b""
        assert update.first("session-expires") == "600;refresher=uac"
    assert len(exchange.requests("UPDATE")) == 4
    assert call.leg.ended is None


async def test_we_refresh_by_reinvite_where_update_is_not_allowed(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    invite = await call.reply("INVITE", 200, body=OFFER, extra="x: 600;refresher=uac\r\n")
    assert b"a=sendrecv" in invite.body
    assert len(exchange.requests("ACK")) == 1
    exchange.clock.advance(299)
    assert len(exchange.requests("INVITE")) == 1
    assert call.leg.ended is None


async def test_repeated_reinvite_describes_the_same_with_the_same_version(
    exchange: Exchange,
) -> None:
    call = await Inbound.open(exchange, f"{TIMER}x: 600;refresher=uas\r\n")
    bodies = set()
    for _ in range(3):
        exchange.clock.advance(300)
        await turn()
        refresh = await call.reply("INVITE", 200, body=OFFER, extra="x: 600;refresher=uac\r\n")
        bodies.add(refresh.body)
    assert len(bodies) == 1


async def test_update_that_is_not_known_after_all_becomes_a_reinvite(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    await call.reply("UPDATE", 405)
    await call.reply("INVITE", 200, body=OFFER, extra="x: 600;refresher=uac\r\n")
    exchange.clock.advance(280)
    assert call.leg.ended is None


async def test_refresh_too_small_for_a_proxy_is_tried_with_more(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    await call.reply("UPDATE", 422, extra="Min-SE: 1200\r\n")
    update = await call.reply("UPDATE", 200, extra="x: 1200;refresher=uac\r\n")
    assert update.first("session-expires") == "1200;refresher=uac"
    assert update.first("min-se") == "1200"


@pytest.mark.parametrize("status", [0, 408, 481])
async def test_refresh_of_a_dialog_that_is_gone_ends_the_call(
    exchange: Exchange, status: int
) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    if status:
        await call.reply("UPDATE", status)
    else:
        exchange.clock.advance(33)
        await turn()
    assert call.leg.ended == Ended("error", status)
    assert len(exchange.requests("BYE")) >= 1


async def test_refresh_that_is_refused_again_and_again_lets_the_call_expire(
    exchange: Exchange,
) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    while call.leg.ended is None:
        await call.reply("UPDATE", 500)
        exchange.clock.advance(10)
        await turn()
    assert exchange.clock.now == pytest.approx(570, abs=5)
    assert call.leg.ended == Ended("error")
    assert 20 <= len(exchange.requests("UPDATE")) <= 28


async def test_session_without_a_timer_in_the_refreshs_answer_expires_no_more(
    exchange: Exchange,
) -> None:
    call = await Inbound.open(exchange, f"{TIMER}{ALLOWS_UPDATE}x: 600;refresher=uas\r\n")
    exchange.clock.advance(300)
    await turn()
    await call.reply("UPDATE", 200)
    exchange.clock.advance(100_000)
    assert call.leg.ended is None


async def test_our_call_asks_for_a_timer_and_refreshes(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await turn()
    assert call.invite.first("session-expires") == "1800"
    assert "timer" in call.invite.all("supported")
    await call.answered(f"{ALLOWS_UPDATE}Require: timer\r\nx: 1800;refresher=uac\r\n")
    exchange.clock.advance(900)
    await turn()
    assert len(exchange.requests("UPDATE")) == 1


async def test_our_call_ends_if_the_callee_does_not_refresh(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await call.answered("Require: timer\r\nx: 1800;refresher=uas\r\n")
    exchange.clock.advance(1767)
    assert exchange.agent.alive == (call.leg,)
    exchange.clock.advance(2)
    assert call.leg.ended == Ended("error")


async def test_our_call_is_sent_again_after_a_422(exchange: Exchange) -> None:
    call = Outbound(exchange)
    await turn()
    first = call.invite
    call.reply(422, extra="Min-SE: 3600\r\n")
    again = call.invite
    assert again.first("session-expires") == "3600"
    assert again.first("min-se") == "3600"
    assert (again.call_id, again.sender.tag, again.cseq) == (
        first.call_id,
        first.sender.tag,
        first.cseq + 1,
    )
    assert again.vias[0].branch != first.vias[0].branch
    call.reply(200, body=OFFER, extra="x: 3600;refresher=uac\r\n")
    await call.task
    assert exchange.requests("ACK")[-1].cseq == again.cseq


@pytest.mark.parametrize("extra", ["", "Min-SE: 100\r\n", "Min-SE: many\r\n"])
async def test_422_that_asks_for_no_more_is_a_refusal(exchange: Exchange, extra: str) -> None:
    call = Outbound(exchange)
    await turn()
    call.reply(422, extra="Min-SE: 100\r\n")
    call.reply(422, extra=extra)
    with pytest.raises(DialError) as error:
        await call.task
    assert error.value.status == 422


async def test_line_that_asks_for_no_timer() -> None:
    settings = LineSettings(
        host="127.0.0.1", rtp_ports=RTP_PORTS, dead_after_s=0, session_expires_s=0
    )
    exchange = Exchange(settings)
    await Inbound.open(exchange, TIMER)
    assert exchange.responses(200)[0].first("session-expires") == ""
    exchange.clock.advance(40)
    assert exchange.clock.pending() == 0
    exchange.close()


async def test_hold_keeps_who_refreshes(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}x: 600;refresher=uac\r\n")
    call.leg.within.spawn(call.leg.hold())
    await turn()
    hold = await call.reply("INVITE", 200, body=OFFER, extra="x: 600;refresher=uas\r\n")
    assert hold.first("session-expires") == "600;refresher=uas"


async def test_ended_call_has_no_timers(exchange: Exchange) -> None:
    call = await Inbound.open(exchange, f"{TIMER}x: 600;refresher=uas\r\n")
    reply = call.send("BYE")
    assert isinstance(reply, Response)
    exchange.clock.advance(40)
    assert exchange.clock.pending() == 0
