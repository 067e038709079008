"""How fast one may write; time is a number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat.limits import Limiter, Limits, Rate, wait_told

RATE = Rate(burst=3, per_s=0.5)


def test_a_burst_then_the_steady_rate() -> None:
    limiter = Limiter(RATE)
    assert [limiter.allow("a", 0) for _ in range(4)] == [True, True, True, False]
    assert not limiter.allow("a", 1.9)
    assert limiter.allow("a", 2.0)
    assert not limiter.allow("a", 2.0)


def test_keys_do_not_share() -> None:
    limiter = Limiter(Rate(1, 0))
    assert limiter.allow("a", 0)
    assert limiter.allow("b", 0)
    assert not limiter.allow("a", 100)


def test_memory_is_bounded_and_the_least_used_is_forgotten() -> None:
    limiter = Limiter(Rate(1, 0), kept=2)
    for key in ("a", "b", "a", "c"):
        limiter.allow(key, 0)
    assert not limiter.allow("a", 0)
    assert limiter.allow("b", 0)


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    limiter = Limiter(Rate(1, 1))
    assert limiter.allow("a", 100)
    assert not limiter.allow("a", 0)


@given(st.lists(st.floats(0, 60), min_size=1, max_size=80))
def test_never_more_than_burst_and_rate_allow(steps: list[float]) -> None:
    limiter, now, allowed = Limiter(RATE), 0.0, 0
    for step in steps:
        now += step
        allowed += limiter.allow("a", now)
    assert allowed <= RATE.burst + now * RATE.per_s + 1e-6


def test_an_address_is_limited_across_its_sessions_but_not_loopback() -> None:
    tight = Limits(session=Rate(100, 0), address=Rate(2, 0), new_session=Rate(1, 0))
    assert [tight.may_write(s, "10.1.1.1", 0) for s in "abc"] == [True, True, False]
    assert all(tight.may_write(s, "127.0.0.1", 0) for s in "defgh")
    assert all(tight.may_write(s, "::1", 0) for s in "defgh")
    assert [tight.may_begin("10.1.1.1", 0) for _ in range(2)] == [True, False]
    assert all(tight.may_begin("127.0.0.1", 0) for _ in range(5))


def test_an_unreadable_address_is_limited_like_any_other() -> None:
    tight = Limits(address=Rate(1, 0))
    assert [tight.may_write("a", "testclient", 0) for _ in range(2)] == [True, False]


def test_who_is_too_fast_is_told_when_it_will_do() -> None:
    limiter = Limiter(Rate(burst=10, per_s=0.5))
    assert limiter.take("a", 0, cost=8) == 0
    assert limiter.take("a", 0, cost=4) == 4
    assert limiter.take("a", 4, cost=4) == 0
    assert [wait_told(s) for s in (0.2, 59.1, 61, 7000, 80000)] == [
        "1秒", "60秒", "2分钟", "117分钟", "23小时",
    ]  # fmt: skip


def test_an_orders_number_is_not_tried_from_many_addresses() -> None:
    limits = Limits()
    waits = [limits.ask("202611220001", f"10.0.0.{n}", 0) for n in range(11)]
    assert waits[:10] == [0] * 10
    assert waits[10] > 0
    assert limits.ask("202611220002", "127.0.0.1", 0) == 0


def test_one_address_has_only_so_many_sockets() -> None:
    limits = Limits(connections=1)
    with limits.connected("10.1.1.1") as first, limits.connected("10.1.1.1") as second:
        assert (first, second) == (True, False)
    with limits.connected("10.1.1.1") as again, limits.connected("127.0.0.1") as here:
        assert again
        assert here
