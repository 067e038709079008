"""What a caller waited: from the end of the voice to the first sound of the answer."""

from __future__ import annotations

from telephony.timing import TurnTimes


def test_the_wait_is_from_the_voice_to_the_first_sound() -> None:
    times = TurnTimes()
    times.heard("h1", 1000)
    assert times.told("h1", 1640, 12.34) == {
        "speech_ms": 12.3, "told_at_ms": 1640.0, "gap_ms": 652.3,
    }  # fmt: skip


def test_only_the_first_thing_told_counts() -> None:
    times = TurnTimes()
    times.heard("h1", 1000)
    assert times.told("h1", 1640, 10)
    assert times.told("h1", 5000, 10) == {}
    times.heard("h2", 9000)
    assert times.told("h2", 9500, 1)["gap_ms"] == 501


def test_what_had_no_voice_or_no_sound_has_no_wait() -> None:
    times = TurnTimes()
    assert times.told("", 100, 10) == {}
    assert "gap_ms" not in times.told("keys", 100, 10)
    times.heard("h1", 1000)
    assert "gap_ms" not in times.told("h1", 1640, 0)
