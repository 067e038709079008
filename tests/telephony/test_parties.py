"""Who hears whom."""

from __future__ import annotations

import pytest

from telephony.parties import Hearing, hearing
from turns.calls import Leg

TWO: tuple[Leg, ...] = ("caller", "target")
THREE: tuple[Leg, ...] = ("caller", "target", "third")


def roles(text: str) -> frozenset[Leg]:
    names: dict[str, Leg] = {"c": "caller", "a": "target", "t": "third"}
    return frozenset(names[letter] for letter in text)


@pytest.mark.parametrize(
    ("present", "parked", "away", "muted", "joined", "silenced", "waiting"),
    [
        ("ca", "", "", "", "ca", "", ""),
        ("ca", "c", "", "", "a", "", "c"),  # the desk holds the caller: the agent knows
        ("ca", "a", "", "", "c", "", "ca"),  # the caller is never left in silence
        ("ca", "", "a", "", "ca", "a", "c"),  # the agent's telephone holds
        ("ca", "", "c", "", "ca", "c", "a"),  # the caller's telephone holds
        ("ca", "", "ca", "", "ca", "ca", ""),  # both: nobody would hear anything
        ("ca", "c", "c", "", "a", "", ""),
        ("cat", "", "", "", "cat", "", ""),
        ("cat", "", "a", "", "cat", "a", ""),  # the other two talk on
        ("cat", "c", "", "", "at", "", "c"),  # agent and third party confer
        ("cat", "at", "", "", "c", "", "cat"),
        ("cat", "", "at", "", "cat", "at", "c"),
        ("ca", "", "", "a", "ca", "a", ""),
        ("c", "", "", "", "c", "", ""),
    ],
)
def test_what_follows_from_who_is_there(
    present: str, parked: str, away: str, muted: str, joined: str, silenced: str, waiting: str
) -> None:
    found = hearing(roles(present), roles(parked), roles(away), roles(muted))
    assert found == Hearing(roles(joined), roles(silenced), roles(waiting))
