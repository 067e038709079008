"""Foreign bytes: GBK names, control characters, messages that are too large; and any bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip.error import SipError
from telephony.sip.message import BadRequestError, Request, parse_message, render
from telephony.sip.replies import reply_address, reply_headers
from telephony.sip.uri import parse_name_addr
from telephony.sip.wire import MAX_HEADER_LINES, MAX_MESSAGE_BYTES, MAX_NAME_CHARS, readable
from tests.telephony.virtual import OFFER, PEER, request

FROM = b"From: <sip:13800000000@127.0.0.1>"


def invite(name: bytes, user: bytes = b"13800000000") -> bytes:
    data = request("INVITE", body=OFFER).encode()
    return data.replace(FROM, b'From: "' + name + b'" <sip:' + user + b"@127.0.0.1>")


def parsed(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize("name", ["王小明", "前门街道办事处", "丂乗俓", "𠮷野家", "乗\\"])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_display_name(name: str, encoding: str) -> None:
    encoding = "gb18030" if "𠮷" in name and encoding == "gbk" else encoding
    quoted = name.replace("\\", "\\\\").encode(encoding)
    assert parsed(invite(quoted)).sender.display_name == name


def test_display_name_without_quotes() -> None:
    data = invite(b"x").replace(b'"x"', "市民".encode("gbk"))
    assert parsed(data).sender.display_name == "市民"


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\x81", b"\xe7\x8e", b"\x80\x80\xff", b"a\xa0"])
def test_bytes_that_are_neither(name: bytes) -> None:
    message = parsed(invite(name))
    assert message.sender.display_name.isprintable()
    assert message.sender.display_name.encode()


def test_controls_and_overrides_are_left_out() -> None:
    name = "王\x00\x07小\u202e明\u0085\x7f".encode()
    assert parsed(invite(name)).sender.display_name == "王小明"


def test_name_is_bounded() -> None:
    assert len(parsed(invite(b"x" * 5000)).sender.display_name) == MAX_NAME_CHARS


def test_gbk_user_part_raw_and_escaped() -> None:
    for user in ("王".encode("gbk"), b"%CD%F5"):
        assert parsed(invite(b"x", user)).sender.uri.user == "王"


@pytest.mark.parametrize("name", [b"\xcd\xf5", b"\xff\xfe", "王".encode(), b"\xf4\x8f\xbc\x80"])
def test_what_came_is_mirrored_byte_for_byte(name: bytes) -> None:
    data = invite(name)
    line = next(line for line in data.split(b"\r\n") if line.startswith(b"From"))
    reply = render("SIP/2.0 200 OK", reply_headers(parsed(data).headers, PEER, "t"))
    assert line in reply.split(b"\r\n")


@pytest.mark.parametrize(
    "call_id", ["caf\u00e9", "a b", "a\x00b", "x" * 300, "\u738b"], ids=lambda text: repr(text)[:9]
)
def test_call_id_that_is_no_word(call_id: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_message(request("INVITE", call_id=call_id).encode())
    assert error.value.code == "call_id"


@pytest.mark.parametrize(
    ("header", "again"),
    [
        ("To: <sip:other@127.0.0.1>", "repeated_header"),
        ("t: <sip:other@127.0.0.1>", "repeated_header"),
        ("CSeq: 2 INVITE", "repeated_header"),
        ("Content-Length: 3", "repeated_header"),
        ("Call-ID: call-1", ""),
        ("Max-Forwards: 70", ""),
    ],
)
def test_repeated_headers(header: str, again: str) -> None:
    data = request("INVITE", extra=f"{header}\r\n").encode()
    if not again:
        assert parsed(data).call_id == "call-1"
        return
    with pytest.raises(BadRequestError) as error:
        parse_message(data)
    assert error.value.code == again


@pytest.mark.parametrize(
    "value", ["<sip:a@b>;tag=1;tag=2", "<sip:a@b>;TAG = 1;x;tag=1", '"x <sip:a@b>', "<sip:a b@c>"]
)
def test_unfit_party(value: str) -> None:
    with pytest.raises(SipError):
        parse_name_addr(value)


def test_quoted_tag_in_a_name_is_no_tag() -> None:
    assert parse_name_addr('";tag=1;tag=2" <sip:a@b;tag=3>;tag=4').tag == "4"


@pytest.mark.parametrize(
    "extra",
    [
        "X: y\r\n" * (MAX_HEADER_LINES + 1),
        f"X: {'y' * MAX_MESSAGE_BYTES}\r\n",
        "X: y\r\n folded\r\n" * MAX_HEADER_LINES,
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n" * 200,
    ],
)
def test_too_large_can_be_answered(extra: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse_message(request("INVITE", extra=extra).encode())
    assert (error.value.code, error.value.status) == ("too_large", 513)
    reply = render("SIP/2.0 513 x", reply_headers(error.value.headers, PEER, "t"))
    assert b"branch=z9hG4bK1;" in reply
    assert len(reply) < MAX_MESSAGE_BYTES


def test_too_large_body() -> None:
    with pytest.raises(BadRequestError) as error:
        parse_message(request("INVITE", body="v=0\r\n" * 6000).encode())
    assert error.value.status == 513


@pytest.mark.parametrize("data", [b"\r\n" * 20000, b"x" * 60000, b"SIP/2.0 200 OK\r\n" * 3000])
def test_too_large_and_nothing_to_answer(data: bytes) -> None:
    with pytest.raises(SipError) as error:
        parse_message(data)
    assert not isinstance(error.value, BadRequestError)


def test_many_lines_of_body_are_no_headers() -> None:
    body = OFFER + "a=x\r\n" * MAX_HEADER_LINES
    assert parsed(request("INVITE", body=body).encode()).body == body.encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_readable(data: bytes) -> None:
    text = readable(data.decode("utf-8", "surrogateescape"))
    text.encode()
    assert all(char.isprintable() or char == "\u3000" for char in text)


HEADER = st.sampled_from(["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Route", "x", "l"])


@given(HEADER, st.binary(max_size=80), st.booleans())
def test_any_header_value_is_read_or_refused(name: str, value: bytes, replaces: bool) -> None:
    data = request("INVITE", body=OFFER).encode()
    line = name.encode() + b": " + value + b"\r\n"
    if replaces and (at := data.find(name.encode() + b":")) > 0:
        data = data[:at] + line + data[data.index(b"\r\n", at) + 2 :]
    else:
        data = data.replace(b"Max-Forwards", line + b"Max-Forwards")
    answered(data)


@given(st.binary(max_size=200))
def test_any_datagram_is_read_or_refused(data: bytes) -> None:
    answered(data)


def answered(data: bytes) -> None:
    """What arrived is read, refused or ignored; nothing else comes of it."""
    with contextlib.suppress(SipError):
        try:
            headers = parse_message(data).headers
        except BadRequestError as error:
            headers = error.headers
        assert render("SIP/2.0 400 x", reply_headers(headers, PEER, "t"))
        assert reply_address(headers, PEER)[0] == PEER[0]
