from __future__ import annotations

import pytest

from qianmen.citizen import sip
from qianmen.citizen.dialog import Answered, Dialog, Identity, Over, Progress

ME = Identity("139", ("127.0.0.1", 4000), "call@127.0.0.1", "mine")
TARGET = sip.parse_uri("sip:12345@127.0.0.1:5060")


def dialled() -> tuple[Dialog, sip.Message]:
    dialog = Dialog(ME, TARGET, b"v=0")
    dialog.invite(0.0)
    return dialog, sent(dialog)[0]


def sent(dialog: Dialog) -> list[sip.Message]:
    return [sip.parse(data) for data, _ in dialog.take()]


def answer(request: sip.Message, status: int, **extra: str) -> sip.Message:
    base = sip.reply(request, status, "X", "theirs", b"sdp" if status == 200 else b"")
    headers = [*base.headers, *((key.replace("_", "-"), value) for key, value in extra.items())]
    return sip.Message(status=status, reason="X", headers=tuple(headers), body=base.body)


def test_an_answered_call_is_acknowledged_where_the_contact_says() -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 180), 0.1)
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.2)
    ((data, address),) = dialog.take()
    ack = sip.parse(data)
    assert address == ("127.0.0.1", 5099)
    assert (ack.method, ack.uri, ack.cseq) == ("ACK", "sip:x@127.0.0.1:5099", (1, "ACK"))
    assert ack.tag("to") == "theirs"
    assert ack.get("via") != invite.get("via")
    assert dialog.events() == [Progress(180), Answered(b"sdp")]


def test_a_repeated_200_gets_the_ack_again_and_nothing_else() -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.2)
    first = dialog.take()
    dialog.events()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.7)
    assert dialog.take() == first
    assert dialog.events() == []


def test_record_route_is_followed_backwards() -> None:
    dialog, invite = dialled()
    reply = answer(invite, 200, contact="<sip:x@9.9.9.9:5099>",
                   record_route="<sip:1.1.1.1:1;lr>, <sip:2.2.2.2:2;lr>")  # fmt: skip
    dialog.receive(sip.parse(sip.render(reply)), 0.2)
    ((data, address),) = dialog.take()
    assert address == ("2.2.2.2", 2)
    assert sip.parse(data).all("route") == ("<sip:2.2.2.2:2;lr>", "<sip:1.1.1.1:1;lr>")


@pytest.mark.parametrize("status", [404, 486, 503])
def test_a_refusal_is_acknowledged_on_the_same_branch(status: int) -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, status), 0.1)
    (ack,) = sent(dialog)
    assert (ack.method, ack.get("via"), ack.tag("to")) == ("ACK", invite.get("via"), "theirs")
    assert dialog.events() == [Over("failed", status)]
    dialog.receive(answer(invite, status), 0.6)
    assert [m.method for m in sent(dialog)] == ["ACK"]
    assert dialog.events() == []


def test_an_unanswered_invite_is_repeated_until_patience_ends() -> None:
    dialog = Dialog(ME, TARGET, b"", patience_s=3.0)
    dialog.invite(0.0)
    times = [t / 10 for t in range(1, 40)]
    repeats = []
    dialog.take()
    for now in times:
        dialog.tick(now)
        repeats += [now] * len(dialog.take())
    assert repeats == [0.5, 1.5]
    assert dialog.events() == [Over("timeout")]


def test_giving_up_waits_for_a_sign_of_life_before_the_cancel() -> None:
    dialog, invite = dialled()
    dialog.hang_up(0.1)
    assert sent(dialog) == []
    dialog.receive(answer(invite, 100), 0.2)
    (cancel,) = sent(dialog)
    assert (cancel.method, cancel.get("via"), cancel.cseq) == (
        "CANCEL", invite.get("via"), (1, "CANCEL"),
    )  # fmt: skip
    dialog.receive(answer(cancel, 200), 0.3)
    dialog.receive(answer(invite, 487), 0.3)
    assert [m.method for m in sent(dialog)] == ["ACK"]
    assert dialog.events()[-1] == Over("hung_up")


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_hung_up() -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 180), 0.1)
    dialog.hang_up(0.2)
    dialog.take()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.3)
    ack, bye = sent(dialog)
    assert (ack.method, bye.method, bye.cseq) == ("ACK", "BYE", (2, "BYE"))
    dialog.receive(answer(bye, 200), 0.4)
    assert dialog.events()[-1] == Over("hung_up")


def test_our_bye_is_repeated_until_answered() -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.2)
    dialog.hang_up(1.0)
    bye = sent(dialog)[-1]
    dialog.tick(1.6)
    assert [m.method for m in sent(dialog)] == ["BYE"]
    dialog.receive(answer(bye, 481), 1.7)
    dialog.tick(9.0)
    assert sent(dialog) == []
    assert dialog.events()[-1] == Over("hung_up")


def test_their_bye_ends_it_once() -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.2)
    dialog.take()
    dialog.events()
    bye = sip.Message(method="BYE", uri="sip:a@b", headers=(("via", "v"), ("cseq", "1 BYE")))
    dialog.receive(bye, 1.0)
    dialog.receive(bye, 1.5)
    assert [m.status for m in sent(dialog)] == [200, 200]
    assert dialog.events() == [Over("bye")]


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("INVITE", 488), ("REFER", 405)])
def test_requests_inside_the_call(method: str, status: int) -> None:
    dialog, invite = dialled()
    dialog.receive(answer(invite, 200, contact="<sip:x@127.0.0.1:5099>"), 0.2)
    dialog.take()
    dialog.receive(sip.Message(method=method, headers=(("cseq", f"2 {method}"),)), 0.3)
    assert [m.status for m in sent(dialog)] == [status]
    assert dialog.state == "answered"
