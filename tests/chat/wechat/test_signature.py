"""Signatures: those of WeChat's own documents, and nothing that is only nearly one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wechat.signature import is_signed, is_timely, signature, signed_by

TOKEN, STAMP, NONCE = "QDG6eK", "1409659813", "1372623149"
NOW = 1_409_659_813.0


def test_the_order_of_the_parts_says_nothing() -> None:
    assert signature("b", "a", "c") == signature("c", "b", "a")
    assert signature("b", "a", "c") == "a9993e364706816aba3e25717850c26c9cd0d89d"  # SHA-1 of abc


def test_only_the_whole_signature_of_a_known_token_counts() -> None:
    right = signature(TOKEN, STAMP, NONCE)
    assert is_signed(right, TOKEN, STAMP, NONCE)
    for wrong in ("", right[:-1], right + "0", right.upper(), "中文", "\ud800", "0" * 40):
        assert not is_signed(wrong, TOKEN, STAMP, NONCE)
    assert not is_signed(signature("", STAMP, NONCE), "", STAMP, NONCE)


def test_during_a_change_the_token_before_is_believed_too() -> None:
    tokens = ("new", "old")
    for token in tokens:
        assert signed_by(signature(token, STAMP, NONCE), tokens, STAMP, NONCE) == token
    assert signed_by(signature("older", STAMP, NONCE), tokens, STAMP, NONCE) is None


@pytest.mark.parametrize(
    ("stamp", "timely"),
    [
        ("1409659813", True), ("1409659513", True), ("1409660113", True), ("1409659512", False),
        ("1409660114", False), ("", False), ("-1409659813", False), ("１４０９６５９８１３", False),
        ("1409659813.5", False), ("9" * 40, False), (" 1409659813", False),
    ],
)  # fmt: skip
def test_a_stamp_is_timely_within_five_minutes(stamp: str, timely: bool) -> None:
    assert is_timely(stamp, NOW, 300) is timely


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_is_given_there_is_an_answer(given_: str, token: str, a: str, b: str) -> None:
    signed = bool(token) and given_ == signature(token, a, b)
    assert is_signed(given_, token, a, b) is signed
    assert is_timely(a, NOW, 300) in (True, False)
