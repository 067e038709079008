from __future__ import annotations

from qianmen.citizen import sdp, sip
from qianmen.citizen.dialog import Answered, Over
from qianmen.citizen.registrar import Registrar

PHONE = ("127.0.0.1", 4444)
OFFER = sdp.render(sdp.Audio("127.0.0.1", 6000))


def registrar() -> Registrar:
    target = sip.parse_uri("sip:12345@127.0.0.1:5060")
    return Registrar(target, "139", ("127.0.0.1", 1000), ("127.0.0.1", 2000))


def request(method: str, call_id: str = "c1", body: bytes = b"") -> sip.Message:
    headers = (
        ("via", f"SIP/2.0/UDP 127.0.0.1:4444;branch=z9hG4bK{method}"),
        ("from", "<sip:139@127.0.0.1>;tag=phone"), ("to", "<sip:12345@127.0.0.1>"),
        ("call-id", call_id), ("cseq", f"1 {method}"), ("contact", "<sip:139@127.0.0.1:4444>"),
    )  # fmt: skip
    return sip.Message(method=method, uri="sip:12345@127.0.0.1", headers=headers, body=body)


def to_phone(desk: Registrar) -> list[sip.Message]:
    taken = desk.take()
    assert all(address == PHONE for _, address in taken)
    return [sip.parse(data) for data, _ in taken]


def to_world(desk: Registrar) -> list[sip.Message]:
    return [sip.parse(data) for data, _ in (desk.dialog.take() if desk.dialog else [])]


def answered() -> tuple[Registrar, sip.Message]:
    desk = registrar()
    desk.from_phone(request("INVITE", body=OFFER), PHONE, 0.0)
    desk.dial(0.0)
    (invite,) = to_world(desk)
    answer = b"v=0\r\nc=IN IP4 5.5.5.5\r\nm=audio 70 RTP/AVP 0\r\nc=IN IP4 6.6.6.6\r\n"
    ok = sip.reply(invite, 200, "OK", "theirs", answer, "<sip:x@127.0.0.1:5070>")
    desk.from_world(ok, 0.1)
    return desk, invite


def test_a_registration_is_accepted_with_its_contact() -> None:
    desk = registrar()
    desk.from_phone(request("REGISTER"), PHONE, 0.0)
    (answer,) = to_phone(desk)
    assert (answer.status, answer.get("contact")) == (200, "<sip:139@127.0.0.1:4444>")
    assert desk.registered


def test_the_invite_is_held_until_told_and_keeps_call_id_tag_and_offer() -> None:
    desk = registrar()
    desk.from_phone(request("INVITE", body=OFFER), PHONE, 0.0)
    assert [m.status for m in to_phone(desk)] == [100]
    assert desk.dialog is None
    desk.dial(0.5)
    (invite,) = to_world(desk)
    assert (invite.get("call-id"), invite.tag("from"), invite.body) == ("c1", "phone", OFFER)
    assert invite.uri == "sip:12345@127.0.0.1:5060"
    assert desk.call_id == "c1"


def test_the_answer_reaches_the_phone_in_the_form_it_reads_until_acknowledged() -> None:
    desk, _ = answered()
    messages = to_phone(desk)
    assert [m.status for m in messages] == [100, 200]
    assert messages[-1].body.count(b"c=IN") == 1
    assert sdp.parse(messages[-1].body).host == "6.6.6.6"
    assert [m.method for m in to_world(desk)] == ["ACK"]
    assert isinstance(desk.events()[-1], Answered)
    desk.tick(0.7)
    assert [m.status for m in to_phone(desk)] == [200]
    desk.from_phone(request("ACK"), PHONE, 0.8)
    desk.tick(5.0)
    assert to_phone(desk) == []


def test_the_phones_bye_ends_the_other_side() -> None:
    desk, _ = answered()
    to_phone(desk), to_world(desk)
    desk.from_phone(request("BYE"), PHONE, 1.0)
    assert [m.status for m in to_phone(desk)] == [200]
    (bye,) = to_world(desk)
    assert (bye.method, bye.tag("to")) == ("BYE", "theirs")
    desk.from_world(sip.reply(bye, 200, "OK"), 1.1)
    assert desk.events()[-1] == Over("hung_up")


def test_the_other_sides_bye_reaches_the_phone_until_it_answers() -> None:
    desk, _ = answered()
    desk.from_phone(request("ACK"), PHONE, 0.2)
    to_phone(desk), to_world(desk)
    bye = sip.Message(method="BYE", headers=(("call-id", "c1"), ("cseq", "1 BYE")))
    desk.from_world(bye, 1.0)
    (told,) = to_phone(desk)
    assert (told.method, told.tag("to"), told.get("call-id")) == ("BYE", "phone", "c1")
    desk.tick(1.6)
    assert [m.method for m in to_phone(desk)] == ["BYE"]
    desk.from_phone(sip.reply(told, 200, "OK", "odd"), PHONE, 1.7)
    desk.tick(9.0)
    assert to_phone(desk) == []
    assert desk.events()[-1] == Over("bye")


def test_an_answer_without_usable_sound_is_hung_up() -> None:
    desk = registrar()
    desk.from_phone(request("INVITE", body=OFFER), PHONE, 0.0)
    desk.dial(0.0)
    (invite,) = to_world(desk)
    desk.from_world(sip.reply(invite, 200, "OK", "t", b"v=0\r\n", "<sip:x@127.0.0.1:1>"), 0.1)
    assert [m.method for m in to_world(desk)] == ["ACK", "BYE"]


def test_foreign_messages_and_a_second_call_do_no_harm() -> None:
    desk, _ = answered()
    to_phone(desk), to_world(desk), desk.events()
    stranger = sip.Message(method="BYE", headers=(("call-id", "other"), ("cseq", "1 BYE")))
    desk.from_world(stranger, 1.0)
    assert (to_world(desk), desk.events()) == ([], [])
    desk.from_phone(request("INVITE", call_id="c2", body=OFFER), PHONE, 1.0)
    desk.from_phone(request("SUBSCRIBE"), PHONE, 1.0)
    assert [m.status for m in to_phone(desk)] == [486, 405]


def test_giving_up_before_the_call_went_out_sends_nothing() -> None:
    desk = registrar()
    desk.give_up(0.0)
    desk.from_phone(request("INVITE", body=OFFER), PHONE, 0.0)
    desk.dial(0.0)
    assert desk.dialog is None
