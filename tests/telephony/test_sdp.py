from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rtp.g711 import PCMA, PCMU
from telephony.sip.error import SipError
from telephony.sip.sdp import Local, read_description
from tests.telephony.virtual import OFFER

LOCAL = Local("192.0.2.1", 20000, 7, 1)


def test_the_offerers_first_law_is_taken() -> None:
    assert read_description(OFFER).plan.codec is PCMA
    assert read_description(OFFER.replace("8 0 96", "0 8 96")).plan.codec is PCMU


def test_media_level_address_wins() -> None:
    remote = read_description(OFFER + "c=IN IP4 10.1.1.1\r\n")
    assert remote.plan.remote == ("10.1.1.1", 40000)


@pytest.mark.parametrize(
    ("theirs", "ours", "sends"),
    [
        ("sendrecv", "sendrecv", True),
        ("sendonly", "recvonly", False),
        ("recvonly", "sendonly", True),
        ("inactive", "inactive", False),
    ],
)
def test_direction(theirs: str, ours: str, sends: bool) -> None:
    media = read_description(f"{OFFER}a={theirs}\r\n")
    session = read_description(OFFER.replace("m=audio", f"a={theirs}\r\nm=audio"))
    for remote in (media, session):
        assert (remote.direction, remote.plan.sends) == (ours, sends)
        assert f"a={ours}\r\n".encode() in LOCAL.answer(remote)


def test_our_own_offer_can_be_answered() -> None:
    remote = read_description(LOCAL.offer().decode())
    assert (remote.plan.remote, remote.plan.codec) == (("192.0.2.1", 20000), PCMA)
    assert remote.plan.event_type == 101
    back = read_description(Local("192.0.2.2", 30000, 8, 1).answer(remote).decode())
    assert back.plan.remote == ("192.0.2.2", 30000)


def test_wideband_telephone_events_are_not_ours() -> None:
    offer = OFFER.replace("telephone-event/8000", "telephone-event/48000")
    assert read_description(offer).plan.event_type is None


def test_number_of_another_codec_is_not_taken_for_ours() -> None:
    with pytest.raises(SipError) as error:
        read_description(OFFER.replace("8 0 96", "8") + "a=rtpmap:8 G729/8000\r\n")
    assert error.value.code == "no_common_codec"


@given(st.integers(0, len(OFFER)), st.integers(0, 40), st.text(max_size=40))
def test_any_damage_gives_a_description_or_a_sip_error(at: int, cut: int, junk: str) -> None:
    with contextlib.suppress(SipError):
        remote = read_description(OFFER[:at] + junk + OFFER[at + cut :])
        assert 0 < remote.plan.remote[1] < 65536
        assert LOCAL.answer(remote)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    with pytest.raises(SipError):
        read_description(text)


@given(st.sampled_from("vosctambkr"), st.text(max_size=30))
def test_any_line(kind: str, value: str) -> None:
    with contextlib.suppress(SipError):
        assert LOCAL.answer(read_description(f"{OFFER}{kind}={value}\r\n"))


@pytest.mark.parametrize(
    ("line", "rtcp", "mux"),
    [
        ("a=rtcp:5003", ("192.0.2.5", 5003), False),
        ("a=rtcp:5003 IN IP4 192.0.2.9", ("192.0.2.9", 5003), False),
        ("a=rtcp:5003 IN IP4 example.com", None, False),
        ("a=rtcp:5003 IN IP4 224.0.0.1", None, False),
        ("a=rtcp:0", None, False),
        ("a=rtcp:70000", None, False),
        ("a=rtcp:99999999999999", None, False),
        ("a=rtcp:x", None, False),
        ("a=rtcp", None, False),
        ("a=rtcp-mux", None, True),
        ("a=sendrecv", None, False),
    ],
)
def test_where_reports_go(line: str, rtcp: tuple[str, int] | None, mux: bool) -> None:
    """RFC 3605, RFC 5761; what makes no sense is as if it were not there."""
    offer = (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"
        f"m=audio 5000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n{line}\r\n"
    )
    remote = read_description(offer)
    assert (remote.plan.rtcp, remote.plan.rtcp_mux) == (rtcp, mux)
    answer = Local("192.0.2.1", 20000, 1, 1).answer(remote).decode()
    assert ("a=rtcp-mux\r\n" in answer) == mux
