"""The staff's cookie and the forms' tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.signing import serializer
from tests.conftest import NOON
from web import sessions

KEY = "a key that only tests know"


def test_a_cookie_lives_half_an_hour_from_its_last_renewal(now: datetime) -> None:
    session = sessions.begin(7, now)
    cookie = sessions.dump(session, KEY, now)
    assert sessions.load(cookie, KEY, now + timedelta(minutes=30)) == session
    assert sessions.load(cookie, KEY, now + timedelta(minutes=30, seconds=1)) is None
    renewed = sessions.dump(session, KEY, now + timedelta(minutes=29))
    assert sessions.load(renewed, KEY, now + timedelta(minutes=58)) == session


def test_no_session_outlives_a_shift(now: datetime) -> None:
    session = sessions.begin(7, now)
    late = now + timedelta(hours=12)
    assert sessions.load(sessions.dump(session, KEY, late), KEY, late) is None


@pytest.mark.parametrize("payload", [None, [], [7], ["7", "n", 1], [7, "n", "x"], {"staff": 7}])
def test_a_signed_cookie_of_another_shape_is_nothing(payload: object, now: datetime) -> None:
    cookie = str(serializer(KEY, "qianmen.staff.session", now).dumps(payload))
    assert sessions.load(cookie, KEY, now) is None


def test_a_citizens_token_is_no_staff_cookie(now: datetime) -> None:
    token = str(serializer(KEY, "qianmen.chat.session", now).dumps([7, "n", 1_790_000_000]))
    assert sessions.load(token, KEY, now) is None


@given(st.text())
def test_loading_is_total(cookie: str) -> None:
    assert sessions.load(cookie, KEY, NOON) is None


@given(st.text())
def test_a_forms_token_fits_its_own_session_only(token: str) -> None:
    assert not sessions.form_token_fits(token, "nonce", KEY)
    assert sessions.form_token_fits(sessions.form_token("nonce", KEY), "nonce", KEY)
    assert not sessions.form_token_fits(sessions.form_token("other", KEY), "nonce", KEY)
