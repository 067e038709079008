"""Two legs on a line that cannot mix."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from telephony.line import Bridge, Conference, Ended, Leg, LineError
from telephony.pair import PairConference, conference
from tests.fakes.leg import FakeConference, FakeLeg, FakeLine


class JoiningLine(FakeLine):
    """Joins two, and counts who hears whom."""

    def __init__(self) -> None:
        super().__init__()
        self.bridges = 0

    def join(self, a: object, b: object) -> Bridge:
        line = self

        class Joined:
            def stop(self) -> None:
                line.bridges -= 1

        self.bridges += 1
        return Joined()

    def confer(self, legs: Iterable[Leg]) -> Conference:
        raise LineError("unsupported", "as told")


def test_a_line_that_mixes_is_left_alone() -> None:
    assert isinstance(conference(FakeLine()), FakeConference)
    assert isinstance(conference(JoiningLine()), PairConference)


async def test_two_are_joined_and_a_third_is_not() -> None:
    line = JoiningLine()
    both = conference(line)
    one, two = FakeLeg("one"), FakeLeg("two")
    both.add(one)
    both.add(one)
    assert line.bridges == 0
    both.add(two)
    assert (line.bridges, both.legs) == (1, (one, two))
    with pytest.raises(LineError, match="no more"):
        both.add(FakeLeg("three"))
    both.mute(two)
    both.mute(two)
    assert line.bridges == 0
    both.mute(two, False)
    assert line.bridges == 1
    both.remove(two)
    both.remove(two)
    assert line.bridges == 0
    two.end(Ended("bye"))
    with pytest.raises(LineError, match="over"):
        both.add(two)
    both.stop()
    assert both.legs == ()


async def test_a_whisper_is_played() -> None:
    both = conference(JoiningLine())
    leg = FakeLeg("one")
    with pytest.raises(LineError):
        both.whisper(leg, bytes(320))
    both.add(leg)
    both.whisper(leg, bytes(320))
    assert leg.played == [bytes(320)]
