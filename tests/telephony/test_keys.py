"""Keys gathered into what they mean."""

from __future__ import annotations

from telephony.keys import PAUSE_S, Keys


def test_the_star_is_told_at_once_even_where_digits_are_expected() -> None:
    assert Keys().press("*", 0.0, gather=True) == "*"
    assert Keys().press("*", 0.0, gather=False) == "*"


def test_the_star_forgets_the_number_begun() -> None:
    keys = Keys()
    assert [keys.press(key, 0.0, gather=True) for key in "139*"] == [""] * 4
    assert keys.due(PAUSE_S) == ""
    assert [keys.press(key, 1.0, gather=True) for key in "138#"] == ["", "", "", "138"]
    assert [keys.press(key, 2.0, gather=True) for key in "7*"] == ["", ""]
    assert keys.press("*", 2.0, gather=True) == "*"
