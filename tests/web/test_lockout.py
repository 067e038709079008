"""When a login is locked; times are given."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from web.lockout import LOCK, TRIES, is_locked, locked_until


def at(*minutes: float) -> list[datetime]:
    return [NOON + timedelta(minutes=minute) for minute in minutes]


def test_four_wrong_tries_do_not_lock() -> None:
    assert not is_locked(at(0, 1, 2, 3), at(3)[0])


def test_the_fifth_locks_for_a_quarter_of_an_hour() -> None:
    tries = at(0, 1, 2, 3, 4)
    assert locked_until(tries) == at(19)[0]
    assert is_locked(tries, at(18.9)[0])
    assert not is_locked(tries, at(19)[0])


def test_tries_far_apart_never_lock() -> None:
    assert locked_until(at(0, 4, 8, 12, 16, 20)) is None


def test_after_the_lock_five_more_are_needed() -> None:
    tries = at(0, 1, 2, 3, 4, 19, 20, 21, 22)
    assert is_locked(tries[:5], at(18)[0])
    assert not is_locked(tries, at(22)[0])
    assert is_locked([*tries, *at(23)], at(23)[0])


@given(st.lists(st.floats(0, 120), max_size=30))
def test_a_lock_needs_five_tries_and_ends_a_quarter_of_an_hour_after_one(
    minutes: list[float],
) -> None:
    tries = at(*minutes)
    until = locked_until(tries)
    if until is not None:
        assert len(tries) >= TRIES
        assert until - LOCK in tries
