from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianmen.citizen import sdp, sip

INVITE = (
    b"INVITE sip:12345@10.0.0.1 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP a:5;branch=1, SIP/2.0/UDP b:6;branch=2\r\n"
    b"From: <sip:1@a>;tag=x1\r\nt: <sip:12345@10.0.0.1>\r\nCall-ID:abc\r\nCSeq: 3 INVITE\r\n"
    b"Subject: long\r\n and folded\r\nContent-Length: 4\r\n\r\nbody"
)


def test_compact_folded_and_unspaced_headers_are_read() -> None:
    message = sip.parse(INVITE)
    assert (message.method, message.uri, message.cseq) == (
        "INVITE", "sip:12345@10.0.0.1", (3, "INVITE"),
    )  # fmt: skip
    assert message.all("via") == ("SIP/2.0/UDP a:5;branch=1", "SIP/2.0/UDP b:6;branch=2")
    assert message.get("call-id") == "abc"
    assert message.get("subject") == "long and folded"
    assert (message.tag("from"), message.tag("to")) == ("x1", "")
    assert message.body == b"body"


def test_what_is_rendered_is_read_back() -> None:
    message = sip.parse(INVITE)
    again = sip.parse(sip.render(message))
    assert again.method == "INVITE"
    assert again.body == b"body"
    assert sorted(again.headers) == sorted(message.headers)


def test_a_reply_mirrors_the_request_and_adds_the_tag_once() -> None:
    answer = sip.reply(sip.parse(INVITE), 200, "OK", "mine")
    assert answer.tag("to") == "mine"
    assert answer.all("via") == sip.parse(INVITE).all("via")
    tagged = sip.parse(INVITE.replace(b"12345@10.0.0.1>\r\nC", b"12345@10.0.0.1>;tag=theirs\r\nC"))
    assert sip.reply(tagged, 200, "OK", "mine").tag("to") == "theirs"


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n\r\n", b"hello", b"SIP/2.0 abc x\r\n\r\n", b"INVITE sip:a@b HTTP/1.1\r\n\r\n",
     b"INVITE sip:a@b SIP/2.0\r\nno colon here\r\n\r\n", b"\xff\xfe\x00 x y\r\n\r\n"],
)  # fmt: skip
def test_rubbish_is_one_named_error(data: bytes) -> None:
    with pytest.raises(sip.SipError):
        sip.parse(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_the_named_error(data: bytes) -> None:
    with contextlib.suppress(sip.SipError):
        assert isinstance(sip.parse(data), sip.Message)


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [("sip:12345@10.0.0.1:5080", "12345", "10.0.0.1", 5080), ("sip:host", "", "host", 5060),
     ('"x" <sip:a@1.2.3.4:7;transport=udp>;q=1', "a", "1.2.3.4", 7)],
)  # fmt: skip
def test_uris(text: str, user: str, host: str, port: int) -> None:
    uri = sip.parse_uri(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)


@pytest.mark.parametrize("text", ["", "12345", "sip:", "tel:12345", "sip:a@b:0", "sip:a@b:70000"])
def test_what_is_no_sip_uri(text: str) -> None:
    with pytest.raises(sip.SipError):
        sip.parse_uri(text)


def test_sdp_there_and_back() -> None:
    audio = sdp.Audio("127.0.0.1", 4000, (sdp.PCMA, sdp.PCMU), 96)
    assert sdp.parse(sdp.render(audio)) == audio


def test_sdp_takes_the_medias_address_before_the_sessions() -> None:
    body = (
        b"c=IN IP4 1.1.1.1\r\nm=audio 9 RTP/AVP 8 0\r\nc=IN IP4 2.2.2.2\r\nm=video 8 RTP/AVP 9\r\n"
    )
    assert sdp.parse(body) == sdp.Audio("2.2.2.2", 9, (8, 0), None)


@pytest.mark.parametrize(
    "body",
    [b"", b"m=audio 9 RTP/AVP 0\r\n", b"c=IN IP4 host.example\r\nm=audio 9 RTP/AVP 0\r\n",
     b"c=IN IP4 1.1.1.1\r\nm=audio 9 RTP/AVP 18\r\n",
     b"c=IN IP4 1.1.1.1\r\nm=audio 0 RTP/AVP 0\r\n",
     b"c=IN IP4 1.1.1.1\r\nm=audio 99999 RTP/AVP 0\r\n", b"c=\r\nm=\r\n", b"\xff\xff=\xff"],
)  # fmt: skip
def test_sdp_without_usable_audio_is_one_named_error(body: bytes) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.parse(body)
