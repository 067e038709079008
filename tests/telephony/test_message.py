from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip.error import SipError
from telephony.sip.message import (
    BadRequestError,
    Request,
    Response,
    parse_message,
    render,
)
from telephony.sip.replies import reply_address, reply_headers
from telephony.sip.uri import parse_name_addr, parse_uri, split_list
from tests.telephony.virtual import OFFER, request

INVITE = request("INVITE", body=OFFER)


def parsed(text: str) -> Request:
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


def test_request() -> None:
    message = parsed(INVITE)
    assert (message.method, message.cseq, message.call_id) == ("INVITE", 1, "call-1")
    assert message.vias[0].branch == "z9hG4bK1"
    assert message.sender.tag == "them"
    assert message.target.user == "12345"
    assert message.body == OFFER.encode()


def test_response() -> None:
    common = INVITE.split("\r\n", 1)[1]
    message = parse_message(f"SIP/2.0 486 Busy Here\r\n{common}".encode())
    assert isinstance(message, Response)
    assert (message.status, message.cseq_method) == (486, "INVITE")


def test_folded_headers_and_bare_newlines() -> None:
    text = request("OPTIONS", extra="Subject: a\r\n  b\r\n")
    assert parsed(text.replace("\r\n", "\n")).first("subject") == "a b"


def test_lists_in_one_header_or_many() -> None:
    first = 'Diversion: "a, b" <sip:1@x>, <sip:2@x>\r\n'
    text = request("INVITE", extra=f"{first}Diversion: <sip:3@x>\r\n")
    assert parsed(text).all("diversion") == ('"a, b" <sip:1@x>', "<sip:2@x>", "<sip:3@x>")


@pytest.mark.parametrize(
    ("old", "new", "code", "status"),
    [
        ("CSeq: 1 INVITE", "CSeq: one INVITE", "cseq", 400),
        ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE", "cseq", 400),
        ("CSeq: 1 INVITE", "CSeq: \u0661 INVITE", "cseq", 400),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", "cseq", 400),
        ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", "version", 505),
        ("Content-Length: ", "Content-Length: 9", "content_length", 400),
        ("Content-Length: ", "Content-Length: -", "content_length", 400),
        ("From: <sip:", "From: <sip", "uri", 400),
        ("To: <sip:12345@127.0.0.1>", "To: <sip:12345@127.0.0.1", "uri", 400),
        ("sip:12345@127.0.0.1 SIP", "sip:12345@127.0.0.1:99999 SIP", "uri", 400),
        ("127.0.0.1:5070;branch", "127.0.0.1:0;branch", "via", 400),
    ],
)
def test_malformed_but_answerable(old: str, new: str, code: str, status: int) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_message(INVITE.replace(old, new, 1).encode())
    assert (error.value.code, error.value.status) == (code, status)
    assert reply_headers(error.value.headers, ("127.0.0.1", 1), "t")


@pytest.mark.parametrize("header", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_missing_header(header: str) -> None:
    lines = [line for line in INVITE.split("\r\n") if not line.startswith(f"{header}:")]
    with pytest.raises(SipError) as error:
        parse_message("\r\n".join(lines).encode())
    assert error.value.code == "missing_header"


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"x", b"INVITE", b"SIP/2.0 abc\r\n\r\n", b"\0" * 99]
)
def test_rubbish(data: bytes) -> None:
    with pytest.raises(SipError):
        parse_message(data)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_sip_error(data: bytes) -> None:
    _total(data)


@given(st.integers(0, len(INVITE)), st.integers(0, 30), st.binary(max_size=30))
def test_any_damage_gives_a_message_or_a_sip_error(at: int, cut: int, junk: bytes) -> None:
    data = INVITE.encode()
    _total(data[:at] + junk + data[at + cut :])


@given(st.text(max_size=60))
def test_any_header_value_gives_a_message_or_a_sip_error(value: str) -> None:
    for name in ("Via", "From", "To", "CSeq", "Contact", "Content-Length", "Record-Route"):
        _total(request("INVITE", extra=f"{name}: {value}\r\n").encode("utf-8", "replace"))
        lines = [
            f"{name}: {value}" if line.startswith(f"{name}:") else line
            for line in INVITE.split("\r\n")
        ]
        _total("\r\n".join(lines).encode("utf-8", "replace"))


def _total(data: bytes) -> None:
    source = ("127.0.0.1", 5070)
    try:
        message = parse_message(data)
    except BadRequestError as error:
        render("SIP/2.0 400 Bad Request", reply_headers(error.headers, source, "t"))
        reply_address(error.headers, source)
    except SipError:
        pass
    else:
        reply = render("SIP/2.0 200 OK", reply_headers(message.headers, source, "t"))
        assert isinstance(parse_message(reply), Response)
        reply_address(message.headers, source)


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:alice@10.0.0.1", "alice", "10.0.0.1", None),
        ("SIP:%2b86@10.0.0.1:5080;transport=udp", "+86", "10.0.0.1", 5080),
        ("sip:+86;phone-context=cn@10.0.0.1;user=phone", "+86", "10.0.0.1", None),
        ("sip:u:secret@host.example?Subject=x", "u", "host.example", None),
        ("sip:a%0d%0ab@10.0.0.1", "ab", "10.0.0.1", None),
        ("sip:10.0.0.1", "", "10.0.0.1", None),
        ("sips:a@[2001:db8::1]:5061", "a", "[2001:db8::1]", 5061),
        ("tel:+86-10(1234)5678;ext=1", "+861012345678", "", None),
        ("urn:service:sos", "", "", None),
    ],
)
def test_uris(text: str, user: str, host: str, port: int | None) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)


@pytest.mark.parametrize(
    "text", ["", "sip:", "alice", "sip:a@", "sip:a@b:x", "sip:a@b:0", "sip:a b@c", "sip:<a>@b"]
)
def test_bad_uris(text: str) -> None:
    with pytest.raises(SipError) as error:
        parse_uri(text)
    assert error.value.code == "uri"


@pytest.mark.parametrize(
    ("text", "name", "user", "tag"),
    [
        ("<sip:a@b>;tag=1", "", "a", "1"),
        ("sip:a@b;tag=1", "", "a", "1"),
        ("Zhang San <sip:a@b>", "Zhang San", "a", ""),
        ('"<sip:x@y>, \\"q\\"" <sip:a@b>;tag=2', '<sip:x@y>, "q"', "a", "2"),
    ],
)
def test_name_addr(text: str, name: str, user: str, tag: str) -> None:
    address = parse_name_addr(text)
    assert (address.display_name, address.uri.user, address.tag) == (name, user, tag)


@given(st.text(max_size=80))
def test_address_parsers_are_total(text: str) -> None:
    split_list(text)
    with contextlib.suppress(SipError):
        parse_name_addr(text)
