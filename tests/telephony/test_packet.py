from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rtp.packet import RtpError, RtpPacket, parse_rtp, sequence_delta

PACKET = RtpPacket(8, 1, 160, 0xDEADBEEF, b"\xd5" * 160, marker=True)

packets = st.builds(
    RtpPacket,
    st.integers(0, 63),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=400),
    st.booleans(),
)


@given(packets)
def test_round_trip(packet: RtpPacket) -> None:
    assert parse_rtp(packet.pack()) == packet


@given(st.binary(max_size=100))
def test_any_bytes_are_a_packet_or_an_rtp_error(data: bytes) -> None:
    with contextlib.suppress(RtpError):
        assert len(parse_rtp(data).payload) <= len(data) - 12


def test_csrc_extension_and_padding_are_taken_off() -> None:
    fixed = PACKET.pack()[1:12]
    csrc, extension = b"\0" * 8, b"\xbe\xde\0\1" + b"\0" * 4
    data = b"\xb2" + fixed + csrc + extension + b"payload" + b"\0\0\3"
    assert parse_rtp(data).payload == b"payload"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "short"),
        (PACKET.pack()[:11], "short"),
        (b"\x8f" + PACKET.pack()[1:20], "short"),
        (b"\x90" + PACKET.pack()[1:13], "short"),
        (b"\x00" + PACKET.pack()[1:], "version"),
        (b"\x80\xc8" + PACKET.pack()[2:], "rtcp"),
        (b"\xa0" + PACKET.pack()[1:12] + b"\0", "padding"),
        (b"\xa0" + PACKET.pack()[1:12] + b"\xff", "padding"),
    ],
)
def test_malformed(data: bytes, code: str) -> None:
    with pytest.raises(RtpError) as error:
        parse_rtp(data)
    assert error.value.code == code


@given(st.integers(0, 0xFFFF), st.integers(-32768, 32767))
def test_sequence_numbers_wrap(start: int, step: int) -> None:
    assert sequence_delta((start + step) & 0xFFFF, start) == step
