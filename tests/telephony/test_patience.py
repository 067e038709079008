"""When a silence is a turn: as always, and for who asked us to wait."""

from __future__ import annotations

from telephony.patience import SILENCE_S, Patience


def test_who_asked_us_to_wait_is_left_in_peace_that_once() -> None:
    patience = Patience(0.0)
    patience.told(0.0, 60.0)
    assert not patience.silent(SILENCE_S + 1)
    assert patience.silent(60.0)
    patience.heard(61.0)
    patience.told(62.0)
    assert patience.silent(62.0 + SILENCE_S)
