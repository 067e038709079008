"""Signatures: known answers, rotation, staleness, and nothing else believed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from handoff.links.keys import read_keys
from handoff.links.signing import (
    DELIVERY,
    SIGNATURE,
    TIMESTAMP,
    SignatureError,
    signature,
    signed,
    verify,
)

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY, OLD = b"k" * 32, b"o" * 32
BODY = '{"id":"1","what":"煤气"}'.encode()


def test_the_primitive_is_rfc_4231s() -> None:
    """Test case 2 of RFC 4231, whose data holds no timestamp: the primitive below ours."""
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest() == known


def test_a_vector_that_openssl_made() -> None:
    """printf '%s' '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_…"""
    known = "9835b0b66bdac35e59b46d5af228a4474da610950e4abcff4ef865dc8fbae4ed"
    assert signature(b"whsec_0123456789abcdef0123456789", 1700000000, b'{"id":"evt_1"}') == known


def test_what_we_sign_is_believed() -> None:
    headers = signed((KEY,), "d1", NOW, BODY)
    assert headers[DELIVERY] == "d1"
    assert verify((KEY,), headers, BODY, now=NOW, window_s=300) == int(NOW.timestamp())


@pytest.mark.parametrize("theirs", [(KEY,), (OLD,), (OLD, KEY)])
def test_in_a_rotation_either_key_serves(theirs: tuple[bytes, ...]) -> None:
    headers = signed((KEY, OLD), "d1", NOW, BODY)
    assert verify(theirs, headers, BODY, now=NOW, window_s=300)
    assert verify((KEY, OLD), signed((theirs[0],), "d1", NOW, BODY), BODY, now=NOW, window_s=300)


@pytest.mark.parametrize(("seconds", "code"), [
    (0, ""), (300, ""), (-300, ""), (301, "signature_stale"), (-301, "signature_stale"),
])  # fmt: skip
def test_only_what_is_fresh_is_believed(seconds: int, code: str) -> None:
    headers = signed((KEY,), "d1", NOW, BODY)
    later = NOW + timedelta(seconds=seconds)
    assert refused(headers, BODY, later) == code


def refused(headers: dict[str, str], body: bytes, now: datetime = NOW) -> str:
    try:
        verify((KEY,), headers, body, now=now, window_s=300)
    except SignatureError as error:
        return error.code
    return ""


def test_whatever_was_changed_is_found() -> None:
    headers = signed((KEY,), "d1", NOW, BODY)
    assert refused(headers, BODY + b" ") == "signature_wrong"
    assert refused({**headers, TIMESTAMP: str(int(NOW.timestamp()) + 1)}, BODY) == "signature_wrong"
    assert refused(signed((OLD,), "d1", NOW, BODY), BODY) == "signature_wrong"
    assert refused(signed((), "d1", NOW, BODY), BODY) == "signature_missing"


@pytest.mark.parametrize(("name", "value", "code"), [
    (TIMESTAMP, "", "signature_missing"), (SIGNATURE, "", "signature_missing"),
    (TIMESTAMP, "-5", "signature_malformed"), (TIMESTAMP, "1e9", "signature_malformed"),
    (TIMESTAMP, "٣", "signature_malformed"), (TIMESTAMP, "9" * 13, "signature_malformed"),
    (SIGNATURE, "v1=", "signature_malformed"), (SIGNATURE, "abc", "signature_malformed"),
    (SIGNATURE, "v0=" + "a" * 64, "signature_malformed"),
    (SIGNATURE, "v1=" + "A" * 64, "signature_malformed"),
    (SIGNATURE, "v1=" + "a" * 64, "signature_wrong"),
    (SIGNATURE, ",".join(["v1=" + "a" * 64] * 9), "signature_malformed"),
])  # fmt: skip
def test_broken_headers_have_their_codes(name: str, value: str, code: str) -> None:
    assert refused({**signed((KEY,), "d1", NOW, BODY), name: value}, BODY) == code


@given(st.dictionaries(st.sampled_from([TIMESTAMP, SIGNATURE]), st.text()), st.binary())
def test_no_header_and_no_body_does_harm(headers: dict[str, str], body: bytes) -> None:
    assert refused(headers, body).startswith("signature_")


def test_nobody_has_a_key_that_is_not_configured() -> None:
    headers = signed((KEY,), "d1", NOW, BODY)
    with pytest.raises(SignatureError, match="signature_wrong"):
        verify((), headers, BODY, now=NOW, window_s=300)


def test_keys_are_read_the_current_one_first() -> None:
    found = read_keys(f"110={'a' * 43}= erp={'b' * 24},{'c' * 24}")
    assert found == {"110": (b"a" * 43 + b"=",), "erp": (b"b" * 24, b"c" * 24)}
    assert read_keys("") == {}


@pytest.mark.parametrize("text", [
    "110", "110=short", "=" + "a" * 30, f"110={'a' * 24} 110={'b' * 24}", f"A={'a' * 24}",
    f"110={'a' * 24},{'b' * 24},{'c' * 24}", f"110={'a' * 24},",
])  # fmt: skip
def test_wrong_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_keys(text)
    assert caught.value.code == "settings_invalid"
    assert "aaaa" not in str(caught.value)
    assert "short" not in str(caught.value)
