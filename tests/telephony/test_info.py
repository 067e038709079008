"""Keys in INFO bodies, and anything else in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rtp.events import KEYS
from telephony.sip.info import info_digit
from telephony.sip.message import Request, parse_message
from tests.telephony.virtual import request


def info(body: str, kind: str = "application/dtmf-relay") -> Request:
    message = parse_message(request("INFO", kind=kind, body=body).encode())
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("Signal=5\r\nDuration=160\r\n", "5"),
        ("Duration=160\r\n  SIGNAL = 10 \r\n", "*"),
        ("Signal=d", "D"),
        ("Signal=12\r\n", None),
        ("Signal=\r\n5\r\n", None),
        ("xSignal=5\r\n", None),
        ("\n" * 9000, None),
    ],
)
def test_relay(body: str, key: str | None) -> None:
    assert info_digit(info(body)) == key


@given(st.sampled_from(["application/dtmf-relay", "application/dtmf", "x/y"]), st.text(max_size=60))
def test_any_body_is_a_key_or_none(kind: str, body: str) -> None:
    key = info_digit(info(body, kind))
    assert key is None or (len(key) == 1 and key in KEYS)
