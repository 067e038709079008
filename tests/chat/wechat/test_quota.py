"""Never more than the platform's own count allows, whatever citizen, clock and we do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.wechat.quota import (
    EARLIER,
    EARLIER_CLICK,
    Deed,
    Quota,
    Rules,
    closed,
    exhausted,
    given_back,
    granted,
    spent,
)

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
RULES = Rules()
DEEDS: tuple[Deed, ...] = ("message", "click", "subscribe", "scan")


def after(*deeds: Deed, at: datetime = NOON) -> Quota:
    quota = Quota()
    for deed in deeds:
        quota = granted(quota, deed, at, at, RULES)
    return quota


def test_a_stranger_is_sent_nothing() -> None:
    assert Quota().available(NOON) == 0
    assert Quota().usable_until(NOON) is None


def test_five_within_two_days_of_a_message() -> None:
    quota = after("message")
    assert quota.available(NOON) == 5
    assert quota.available(NOON + timedelta(hours=48) - EARLIER - timedelta(seconds=1)) == 5
    assert quota.available(NOON + timedelta(hours=48) - EARLIER) == 0
    assert spent(quota, 5).available(NOON) == 0


@pytest.mark.parametrize("deed", ["click", "subscribe", "scan"])
def test_three_within_a_minute_of_anything_else(deed: Deed) -> None:
    quota = after(deed)
    assert (quota.available(NOON), quota.lasting(NOON)) == (3, 0)
    assert quota.available(NOON + timedelta(seconds=60) - EARLIER_CLICK) == 0
    assert quota.usable_until(NOON) == NOON + timedelta(seconds=60) - EARLIER_CLICK


def test_a_new_message_allows_five_anew_not_five_more() -> None:
    quota = spent(after("message"), 2)
    later = NOON + timedelta(minutes=5)
    assert granted(quota, "message", later, later, RULES).available(later) == 5


def test_a_click_takes_nothing_away_from_a_message() -> None:
    quota = after("message", "click")
    assert (quota.available(NOON), quota.lasting(NOON)) == (5, 5)


def test_what_is_told_late_or_twice_opens_no_longer_window() -> None:
    quota = spent(after("message"), 5)
    later = NOON + timedelta(minutes=10)
    assert granted(quota, "message", NOON, later, RULES) == quota  # the same message again
    earlier = granted(quota, "message", NOON - timedelta(hours=1), later, RULES)
    assert earlier == quota


def test_a_clock_ahead_of_ours_opens_no_longer_window() -> None:
    quota = granted(Quota(), "message", NOON + timedelta(hours=3), NOON, RULES)
    assert quota.window_until == NOON + timedelta(hours=48)


def test_the_platform_is_believed() -> None:
    assert exhausted(after("message", "click")).available(NOON) == 0
    shut = closed(after("message", "click"), NOON)
    assert shut.available(NOON) == 0
    again = granted(
        shut, "message", NOON + timedelta(seconds=1), NOON + timedelta(seconds=1), RULES
    )
    assert again.available(NOON + timedelta(seconds=1)) == 5


def test_what_was_not_sent_is_given_back_once() -> None:
    before = after("message", "click")
    counted = spent(before)
    assert given_back(counted, before) == before
    assert given_back(before, before) == before  # never more than there was
    later = NOON + timedelta(minutes=1)
    anew = granted(counted, "message", later, later, RULES)
    assert given_back(anew, before).left == 5  # they wrote meanwhile: not six


@st.composite
def _days(draw: st.DrawFn) -> list[tuple[str, float, float]]:
    """Deeds and sends: what, seconds since the last, seconds that a deed is told late."""
    what = st.sampled_from([*DEEDS, "send", "send", "send", "unsent"])
    gap = st.one_of(st.floats(0, 70), st.floats(0, 50 * 3600))
    return draw(st.lists(st.tuples(what, gap, st.floats(0, 20)), max_size=60))


class Platform:
    """The platform's count at its most generous in what it forgets and its strictest in how:
    ``order`` says from which of two open allowances a message is taken."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._pools = {"message": (NOON, 0), "click": (NOON, 0)}

    def deed(self, deed: str, at: datetime) -> None:
        message = deed == "message"
        ends = at + (RULES.window if message else RULES.click_window)
        self._pools["message" if message else "click"] = (ends, 5 if message else 3)

    def send(self, at: datetime) -> bool:
        open_ = [name for name, (until, left) in self._pools.items() if at < until and left]
        if not open_:
            return False
        if self._order == "both":
            taken = list(self._pools)
        else:
            taken = [self._order if self._order in open_ else open_[0]]
        for name in taken:
            until, left = self._pools[name]
            self._pools[name] = (until, max(left - 1, 0))
        return True


@pytest.mark.parametrize("order", ["message", "click", "both"])
@settings(deadline=None)
@given(day=_days())
def test_never_more_than_the_platform_counts(
    order: str, day: list[tuple[str, float, float]]
) -> None:
    platform, quota, at = Platform(order), Quota(), NOON
    told: list[tuple[datetime, Deed, datetime]] = []
    for what, gap, late in day:
        at += timedelta(seconds=gap)
        for heard, deed, since in sorted(told):
            if heard <= at:
                quota = granted(quota, deed, since, heard, RULES)
        told = [one for one in told if one[0] > at]
        if what in DEEDS:
            platform.deed(what, at)
            told.append((at + timedelta(seconds=late), what, at))
            continue
        if not quota.available(at):
            continue
        before, quota = quota, spent(quota)
        if what == "unsent":
            quota = given_back(quota, before)
        else:
            assert platform.send(at), "the platform would have refused it"
