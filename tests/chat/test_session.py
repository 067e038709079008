"""The anonymous session's token."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.session import MAX_AGE, Sessions
from chat.signing import serializer
from tests.conftest import NOON

KEY = "a key that only tests know"


def test_what_was_signed_is_read_back(now: datetime) -> None:
    sessions = Sessions(KEY)
    session = sessions.begin()
    assert sessions.read(sessions.token(session, now), now) == session
    assert sessions.read(sessions.token(session, now), now + MAX_AGE) == session


def test_an_old_a_forged_and_a_foreign_token_are_nothing(now: datetime) -> None:
    sessions = Sessions(KEY)
    token = sessions.token(sessions.begin(), now)
    assert sessions.read(token, now + MAX_AGE + timedelta(seconds=1)) is None
    # Not the last character: base64 leaves some of its bits unused.
    assert sessions.read(token[:5] + ("A" if token[5] != "A" else "B") + token[6:], now) is None
    assert Sessions(KEY + "!").read(token, now) is None


@pytest.mark.parametrize("payload", [None, 5, [], ["a"], ["a", 1], {"a": "b"}, ["a", "b", "c"]])
def test_a_signed_token_of_another_shape_is_nothing(payload: object, now: datetime) -> None:
    token = str(serializer(KEY, "qianmen.chat.session", now).dumps(payload))
    assert Sessions(KEY).read(token, now) is None


@given(st.text())
def test_reading_is_total(token: str) -> None:
    assert Sessions(KEY).read(token, NOON) is None


def test_no_two_citizens_are_the_same() -> None:
    sessions = Sessions(KEY)
    assert len({sessions.begin() for _ in range(50)}) == 50
