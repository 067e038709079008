from __future__ import annotations

from asr.stall import HICCUP_FACTOR, LOST_S, SLOW_S, Stall


def run(stall: Stall, start: float, seconds: float, heard: int) -> list[tuple[float, str]]:
    """What looks every 50 ms tell, while ``heard`` stays and more waits."""
    told: list[tuple[float, str]] = []
    for step in range(round(seconds / 0.05) + 1):
        at = step * 0.05
        if found := stall.looked(start + at, heard, waiting=True):
            told.append((round(at, 2), found))
    return told


def test_a_stall_is_slow_once_then_lost() -> None:
    stall = Stall()
    told = run(stall, 10.0, LOST_S + 0.01, 640)
    assert [found for _, found in told] == ["slow", "lost"]
    assert SLOW_S <= told[0][0] < SLOW_S + 0.1
    assert told[1][0] >= LOST_S


def test_progress_however_slow_is_no_stall() -> None:
    stall = Stall()
    for step in range(50):
        assert run(stall, step * 0.6, 0.55, step) == []


def test_a_quiet_line_is_no_stall() -> None:
    stall = Stall()
    assert not any(stall.looked(at / 10, 640, waiting=False) for at in range(100))


def test_who_goes_on_is_called_slow_later_the_next_time() -> None:
    stall = Stall()
    assert run(stall, 0.0, SLOW_S + 0.06, 640)
    told = run(stall, 2.0, LOST_S + 0.01, 1280)
    assert told[0][1] == "slow"
    assert SLOW_S * HICCUP_FACTOR <= told[0][0] < SLOW_S * HICCUP_FACTOR + 0.1
