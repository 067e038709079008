"""Calls that come in: findings' behaviour table, on virtual time, with a peer made of text."""

from __future__ import annotations

import pytest

from telephony.line import Digit, Ended, Held, LineError, LineSettings, Resumed
from telephony.sip.inbound import InboundLeg
from telephony.sip.message import Response
from tests.telephony.virtual import OFFER, RTP_PORTS, Exchange, request


async def answered(exchange: Exchange, offer: str = OFFER, extra: str = "") -> InboundLeg:
    exchange.receive(request("INVITE", body=offer, extra=extra))
    leg = exchange.inbound[-1]
    await leg.answer()
    return leg


def to_of(leg: InboundLeg) -> str:
    return f"<sip:12345@127.0.0.1>;tag={leg.local_tag}"


def ack(leg: InboundLeg, cseq: int = 1, body: str = "") -> str:
    return request("ACK", branch=f"z9hG4bKack{cseq}", to=to_of(leg), cseq=cseq, body=body)


async def told(leg: InboundLeg) -> list[object]:
    """All events of a leg that has ended."""
    return [event async for event in leg.events()]


def status_of(messages: list[object]) -> int:
    assert isinstance(messages[-1], Response)
    return messages[-1].status


async def test_invite_is_answered_and_stops_repeating_at_the_ack(exchange: Exchange) -> None:
    leg = await answered(exchange)
    assert list(exchange.statuses()) == [100, 200]
    exchange.clock.advance(1.4)
    assert list(exchange.statuses()) == [100, 200, 200]
    exchange.receive(ack(leg))
    exchange.clock.advance(60)
    assert list(exchange.statuses()) == [100, 200, 200]
    assert leg.ended is None
    assert exchange.clock.pending() == 0


async def test_ack_of_a_stock_pyvoip_phone_counts(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(request("ACK", to="<sip:12345@127.0.0.1>;tag=made-up"))
    exchange.clock.advance(60)
    assert len(exchange.responses(200)) == 1
    assert leg.ended is None


async def test_200_repeats_with_growing_pauses_then_bye(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.clock.advance(33)
    times = [at for at, m, _ in exchange.sent if isinstance(m, Response) and m.status == 200]
    assert times == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(exchange.requests("BYE")) >= 1
    assert await told(leg) == [Ended("ack_timeout")]


async def test_caller_hangs_up(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    sent = exchange.receive(request("BYE", branch="z9hG4bK2", to=to_of(leg), cseq=2))
    assert status_of(list(sent)) == 200
    assert sent[-1].to.tag == leg.local_tag
    assert await told(leg) == [Ended("bye")]
    sent = exchange.receive(request("BYE", branch="z9hG4bK3", to=to_of(leg), cseq=3))
    assert status_of(list(sent)) == 481


async def test_our_bye_waits_for_the_ack_and_repeats_until_answered(exchange: Exchange) -> None:
    leg = await answered(exchange)
    await leg.hang_up()
    assert exchange.requests("BYE") == []
    assert await told(leg) == [Ended("hung_up")]
    exchange.receive(ack(leg))
    exchange.clock.advance(1.6)
    byes = exchange.requests("BYE")
    assert len(byes) == 3
    assert byes[0].target.text == "sip:alice@127.0.0.1:5070"
    assert byes[0].sender.tag == leg.local_tag
    assert byes[0].to.tag == "them"
    assert len({bye.cseq for bye in byes}) == 1


async def test_cancel_while_ringing(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    leg = exchange.inbound[0]
    await leg.ring()
    sent = exchange.receive(request("CANCEL"))
    assert [m.status for m in sent if isinstance(m, Response)] == [200, 487]
    assert {m.to.tag for m in sent} == {leg.local_tag}
    assert await told(leg) == [Ended("cancel", 487)]
    with pytest.raises(LineError) as error:
        await leg.answer()
    assert error.value.code == "ended"
    exchange.receive(request("ACK", to=to_of(leg)))
    exchange.clock.advance(1)
    assert len(exchange.responses(487)) == 1


async def test_cancel_after_the_answer_changes_nothing(exchange: Exchange) -> None:
    leg = await answered(exchange)
    assert status_of(list(exchange.receive(request("CANCEL")))) == 200
    assert leg.ended is None


async def test_cancel_of_nothing(exchange: Exchange) -> None:
    assert status_of(list(exchange.receive(request("CANCEL")))) == 481


async def test_bye_before_the_answer(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    leg = exchange.inbound[0]
    await leg.ring()
    sent = exchange.receive(request("BYE", branch="z9hG4bK2", to=to_of(leg), cseq=2))
    assert sorted(m.status for m in sent if isinstance(m, Response)) == [200, 487]
    assert await told(leg) == [Ended("bye")]


async def test_duplicate_invite_gets_the_same_response(exchange: Exchange) -> None:
    text = request("INVITE", body=OFFER)
    exchange.receive(text)
    await exchange.inbound[0].ring()
    ringing = exchange.wire[-1]
    exchange.receive(text)
    assert exchange.wire[-1] == ringing
    await exchange.inbound[0].answer()
    exchange.receive(text)
    assert exchange.wire[-1] == exchange.wire[-2]
    assert len(exchange.inbound) == 1


async def test_same_invite_by_another_way_is_a_loop(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    sent = exchange.receive(request("INVITE", body=OFFER, branch="z9hG4bKother"))
    assert status_of(list(sent)) == 482


async def test_refusal_repeats_until_its_ack(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    leg = exchange.inbound[0]
    await leg.reject(486)
    exchange.clock.advance(1.6)
    assert len(exchange.responses(486)) == 3
    exchange.receive(request("ACK", to=to_of(leg)))
    exchange.clock.advance(60)
    assert len(exchange.responses(486)) == 3
    assert await told(leg) == [Ended("rejected", 486)]
    assert len(exchange.core.transactions) == 0


async def test_no_offer_gets_ours_and_the_ack_brings_the_answer(exchange: Exchange) -> None:
    leg = await answered(exchange, offer="")
    ok = exchange.responses(200)[0]
    assert b"PCMA/8000" in ok.body
    assert b"PCMU/8000" in ok.body
    assert leg.clock_ms == 0
    exchange.receive(ack(leg, body=OFFER))
    assert leg.media.stream is not None
    assert leg.media.stream.target == ("127.0.0.1", 40000)


async def test_no_offer_and_an_unfit_answer_ends_the_call(exchange: Exchange) -> None:
    leg = await answered(exchange, offer="")
    exchange.receive(ack(leg, body=OFFER.replace("8 0 96", "18")))
    assert len(exchange.requests("BYE")) == 1
    assert await told(leg) == [Ended("error", 488)]


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (OFFER.replace("RTP/AVP 8 0 96", "RTP/AVP 18"), 488),
        (OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 media.example.com"), 488),
        (OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 239.1.2.3"), 488),
        (OFFER.replace("audio 40000", "audio 70000"), 400),
        (OFFER.replace("audio 40000", "audio 0"), 488),
        (OFFER.replace("RTP/AVP", "RTP/SAVP"), 488),
        ("not SDP at all", 400),
    ],
)
async def test_unfit_offer(exchange: Exchange, offer: str, status: int) -> None:
    sent = exchange.receive(request("INVITE", body=offer))
    assert status_of(list(sent)) == status
    assert exchange.inbound == []
    exchange.clock.advance(0.6)
    assert len(exchange.responses(status)) == 2


async def test_hold_and_resume(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    assert leg.media.stream is not None
    hold = request(
        "INVITE", branch="z9hG4bK2", to=to_of(leg), cseq=2, body=OFFER + "a=sendonly\r\n"
    )
    exchange.receive(hold)
    assert b"a=recvonly" in exchange.responses(200)[-1].body
    assert [leg.media.stream.tick() for _ in range(3)] == [None] * 3
    exchange.receive(ack(leg, 2))
    exchange.receive(request("INVITE", branch="z9hG4bK3", to=to_of(leg), cseq=3, body=OFFER))
    assert b"a=sendrecv" in exchange.responses(200)[-1].body
    assert leg.media.stream.tick() is not None
    exchange.receive(ack(leg, 3))
    leg.shut("hung_up")
    assert [type(event) for event in await told(leg)] == [Held, Resumed, Ended]


async def test_hold_by_address_zero(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    body = OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")
    exchange.receive(request("INVITE", branch="z9hG4bK2", to=to_of(leg), cseq=2, body=body))
    assert b"a=recvonly" in exchange.responses(200)[-1].body


async def test_refused_reinvite_leaves_the_call_alone(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    body = OFFER.replace("8 0 96", "18")
    sent = exchange.receive(request("INVITE", branch="z9hG4bK2", to=to_of(leg), cseq=2, body=body))
    assert status_of(list(sent)) == 488
    assert leg.ended is None


async def test_reinvite_without_ack_ends_the_call(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    exchange.receive(request("INVITE", branch="z9hG4bK2", to=to_of(leg), cseq=2, body=OFFER))
    exchange.clock.advance(33)
    assert await told(leg) == [Ended("ack_timeout")]
    assert exchange.requests("BYE")


async def test_old_cseq_is_refused(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    sent = exchange.receive(request("BYE", branch="z9hG4bK2", to=to_of(leg), cseq=1))
    assert status_of(list(sent)) == 500
    assert leg.ended is None


async def test_tags_must_fit(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    bye = request("BYE", branch="z9hG4bK2", to=to_of(leg), cseq=2, tag="stranger")
    assert status_of(list(exchange.receive(bye))) == 481
    assert leg.ended is None


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200), ("REGISTER", 405), ("MESSAGE", 405), ("SUBSCRIBE", 405),
        ("FROBNICATE", 501), ("BYE", 481), ("INFO", 481),
    ],
)  # fmt: skip
async def test_requests_outside_a_dialog(exchange: Exchange, method: str, status: int) -> None:
    sent = exchange.receive(request(method))
    assert status_of(list(sent)) == status
    assert sent[0].to.tag


async def test_options_while_draining(exchange: Exchange) -> None:
    exchange.agent.draining = True
    sent = exchange.receive(request("OPTIONS"))
    assert status_of(list(sent)) == 503
    assert sent[0].first("retry-after")
    assert status_of(list(exchange.receive(request("INVITE", branch="z9hG4bK2")))) == 503


async def test_full_line() -> None:
    exchange = Exchange(LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS, max_calls=1))
    exchange.receive(request("INVITE", body=OFFER))
    second = request("INVITE", body=OFFER, branch="z9hG4bK2", call_id="call-2")
    assert status_of(list(exchange.receive(second))) == 486
    exchange.close()


async def test_required_extension_is_refused_by_name(exchange: Exchange) -> None:
    sent = exchange.receive(request("INVITE", body=OFFER, extra="Require: 100rel\r\n"))
    assert status_of(list(sent)) == 420
    assert sent[0].first("unsupported") == "100rel"


async def test_record_route_is_mirrored_and_becomes_the_route_set(exchange: Exchange) -> None:
    routes = "Record-Route: <sip:10.0.0.1;lr>, <sip:10.0.0.2:5080;lr>\r\n"
    exchange.receive(request("INVITE", body=OFFER, extra=routes))
    leg = exchange.inbound[0]
    await leg.ring()
    await leg.answer()
    for status in (180, 200):
        got = exchange.responses(status)[0].all("record-route")
        assert got == ("<sip:10.0.0.1;lr>", "<sip:10.0.0.2:5080;lr>")
    exchange.receive(ack(leg))
    await leg.hang_up()
    bye, destination = exchange.requests("BYE")[0], exchange.sent[-1][2]
    assert bye.all("route") == ("<sip:10.0.0.1;lr>", "<sip:10.0.0.2:5080;lr>")
    assert destination == ("10.0.0.1", 5060)


async def test_strict_route_is_the_request_uri(exchange: Exchange) -> None:
    leg = await answered(exchange, extra="Record-Route: <sip:10.0.0.1>\r\n")
    exchange.receive(ack(leg))
    await leg.hang_up()
    bye = exchange.requests("BYE")[0]
    assert bye.target.text == "sip:10.0.0.1"
    assert bye.all("route") == ("<sip:alice@127.0.0.1:5070>",)


async def test_replies_go_back_where_the_request_came_from(exchange: Exchange) -> None:
    text = request("OPTIONS").replace("127.0.0.1:5070;branch", "192.168.9.9:5999;branch")
    exchange.receive(text, ("127.0.0.1", 6001))
    _, reply, destination = exchange.sent[0]
    assert destination == ("127.0.0.1", 6001)
    assert reply.vias[0].params["received"] == "127.0.0.1"
    assert reply.vias[0].params["rport"] == "6001"
    exchange.receive(text.replace(";rport", "").replace("9hG4bK1", "9hG4bK2"), ("127.0.0.1", 6001))
    assert exchange.sent[1][2] == ("127.0.0.1", 5999)


async def test_video_is_mirrored_with_port_zero(exchange: Exchange) -> None:
    video = "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
    head, audio = OFFER.split("m=audio")
    await answered(exchange, offer=f"{head}{video}m=audio{audio}")
    body = exchange.responses(200)[0].body.decode()
    assert "m=video 0 RTP/AVP 97" in body
    assert body.index("m=video") < body.index("m=audio")


async def test_numbers_of_the_offer_are_kept(exchange: Exchange) -> None:
    offer = OFFER.replace("8 0 96", "101 96").replace(
        "a=rtpmap:96 telephone-event/8000\r\n",
        "a=rtpmap:101 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n",
    )
    leg = await answered(exchange, offer=offer)
    body = exchange.responses(200)[0].body.decode()
    assert "RTP/AVP 101 96" in body
    assert "a=rtpmap:96 telephone-event/8000" in body
    assert leg.media.stream is not None
    assert (leg.media.stream.plan.payload_type, leg.media.stream.plan.event_type) == (101, 96)


async def test_multipart_body(exchange: Exchange) -> None:
    body = (
        "--b\r\nContent-Type: application/isup\r\n\r\nxx\r\n"
        f"--b\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--b--\r\n"
    )
    exchange.receive(request("INVITE", body=body, kind="multipart/mixed;boundary=b"))
    assert len(exchange.inbound) == 1


async def test_unknown_body(exchange: Exchange) -> None:
    sent = exchange.receive(request("INVITE", body="<xml/>", kind="text/xml"))
    assert status_of(list(sent)) == 415
    assert sent[0].first("accept") == "application/sdp"


async def test_tel_uris_and_compact_headers(exchange: Exchange) -> None:
    exchange.receive(
        "INVITE tel:+86-12345 SIP/2.0\r\n"
        "v:SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK9\r\n"
        'f:"王 \\"小\\" 明" <tel:+8613800000000>;tag=a\r\nt:<tel:+8612345>\r\n'
        "i:compact\r\nCSeq:7 INVITE\r\nm:<sip:127.0.0.1:5070>\r\nc:application/sdp\r\n"
        f"l:{len(OFFER)}\r\n\r\n{OFFER}"
    )
    leg = exchange.inbound[0]
    assert (leg.id, leg.caller, leg.dialled) == ("compact", "+8613800000000", "+8612345")
    assert leg.display_name == '王 "小" 明'


@pytest.mark.parametrize(
    "header",
    [
        "Diversion: <sip:96110@10.0.0.1>;reason=unconditional\r\n",
        "Diversion: <sip:other@10.0.0.1>;counter=1, <sip:96110@10.0.0.1>;reason=no-answer\r\n",
        "History-Info: <sip:96110@10.0.0.1>;index=1, <sip:12345@10.0.0.1>;index=1.1\r\n",
    ],
)
async def test_number_first_dialled(exchange: Exchange, header: str) -> None:
    exchange.receive(request("INVITE", body=OFFER, extra=header))
    assert exchange.inbound[0].diverted_from == "96110"


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Signal= 11\r\nDuration= 160\r\n", "#"),
        ("application/dtmf", "*", "*"),
    ],
)
async def test_info_digit(exchange: Exchange, kind: str, body: str, key: str) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    info = request("INFO", branch="z9hG4bK2", to=to_of(leg), cseq=2, body=body, kind=kind)
    assert status_of(list(exchange.receive(info))) == 200
    exchange.receive(info)
    leg.shut("hung_up")
    assert [e.key for e in await told(leg) if isinstance(e, Digit)] == [key]


async def test_info_with_another_body(exchange: Exchange) -> None:
    leg = await answered(exchange)
    exchange.receive(ack(leg))
    info = request("INFO", branch="z9hG4bK2", to=to_of(leg), cseq=2, body="x", kind="text/plain")
    assert status_of(list(exchange.receive(info))) == 415


async def test_missing_contact_is_survived(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER, contact=""))
    leg = exchange.inbound[0]
    await leg.answer()
    exchange.receive(ack(leg))
    await leg.hang_up()
    assert len(exchange.requests("BYE")) == 1


async def test_contact_with_a_name_falls_back_to_the_peers_address(exchange: Exchange) -> None:
    contact = "Contact: <sip:alice@phone.example.com>\r\n"
    exchange.receive(request("INVITE", body=OFFER, contact=contact))
    leg = exchange.inbound[0]
    await leg.answer()
    exchange.receive(ack(leg))
    await leg.hang_up()
    assert exchange.sent[-1][2] == ("127.0.0.1", 5070)


async def test_no_free_media_port_leaves_the_call_to_be_refused() -> None:
    exchange = Exchange(LineSettings(host="127.0.0.1", rtp_ports=(24998, 24999)))
    held = exchange.ports.open()
    exchange.receive(request("INVITE", body=OFFER))
    leg = exchange.inbound[0]
    with pytest.raises(LineError) as error:
        await leg.answer()
    assert error.value.code == "no_media_port"
    await leg.reject(503)
    assert await told(leg) == [Ended("rejected", 503)]
    exchange.ports.release(held)
    exchange.close()


async def test_reject_wants_a_refusal(exchange: Exchange) -> None:
    exchange.receive(request("INVITE", body=OFFER))
    with pytest.raises(LineError) as error:
        await exchange.inbound[0].reject(200)
    assert error.value.code == "bad_status"
