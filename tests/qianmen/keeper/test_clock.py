"""A clock that jumps: noted, and nothing is deleted by it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qianmen.keeper.clock import AWAY, REST, Clock, confirmed, loads, look
from tests.conftest import NOON

SECOND = timedelta(seconds=1)


def after(clock: Clock, wall_s: float, monotonic_s: float) -> Clock:
    """The next look: the wall clock went on by one, real time by the other."""
    assert clock.seen is not None
    assert clock.monotonic is not None
    return look(clock, clock.seen + wall_s * SECOND, clock.monotonic + monotonic_s)


@pytest.fixture
def clock() -> Clock:
    return look(Clock(), NOON, 100.0)


def test_a_clock_never_seen_is_trusted(clock: Clock) -> None:
    assert clock.trusted
    assert not clock.jump


def test_a_clock_that_runs_as_time_does_is_trusted(clock: Clock) -> None:
    for _ in range(100):
        clock = after(clock, 10.04, 10.0)
        assert not clock.jump
    assert clock.trusted


@pytest.mark.parametrize("step_s", [-3600.0, -6.0, 6.0, 3600.0, 86400.0 * 200])
def test_a_jump_is_told_with_its_size_once(clock: Clock, step_s: float) -> None:
    jumped = after(clock, 10 + step_s, 10)
    assert jumped.jump == timedelta(seconds=step_s)
    assert not after(jumped, 10, 10).jump


@pytest.mark.parametrize(("days", "trusted"), [(-200, True), (0.2, True), (1, False), (200, False)])
def test_only_a_great_step_forward_is_doubted(clock: Clock, days: float, trusted: bool) -> None:
    assert after(clock, 10 + days * 86400, 10).trusted is trusted


def test_doubt_ends_after_a_day_of_real_time(clock: Clock) -> None:
    clock = after(clock, 86400 * 30, 10)
    clock = after(clock, 3600, 3600)
    assert clock.doubt == REST - timedelta(hours=1)
    assert after(clock, 23 * 3600, 23 * 3600).trusted


def test_doubt_ends_when_a_person_says_so(clock: Clock) -> None:
    assert confirmed(after(clock, 86400 * 30, 10)).trusted


def test_doubt_outlives_the_process(clock: Clock) -> None:
    doubted = after(clock, 86400 * 30, 10)
    assert doubted.seen is not None
    again = look(loads(doubted.dumps()), doubted.seen + SECOND, 5.0)
    assert not again.trusted
    assert again.doubt == doubted.doubt


def test_a_restart_after_an_hour_is_no_jump(clock: Clock) -> None:
    again = look(loads(clock.dumps()), NOON + timedelta(hours=1), 5.0)
    assert again.trusted
    assert not again.jump


def test_a_clock_set_far_ahead_while_nobody_looked_is_doubted(clock: Clock) -> None:
    again = look(loads(clock.dumps()), NOON + AWAY + timedelta(days=200), 5.0)
    assert not again.trusted
    assert again.jump > AWAY


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"seen": 1, "doubt_s": 1}', '{"seen": "x", "doubt_s": 1}',
             '{"seen": "2026-01-01T00:00:00", "doubt_s": 0}', '{"seen": "2026-01-01T00:00:00Z"}',
             '{"seen": "2026-01-01T00:00:00Z", "doubt_s": "?"}'],
)  # fmt: skip
def test_a_damaged_memory_is_no_memory(text: str) -> None:
    assert loads(text) == Clock()
