"""Callers whose phone process died: out of the queue, to be called back, and nobody else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.errors import ConversationError
from telephony.commands import Calls, ControlError
from telephony.lost_calls import LostCalls
from turns.calls import CallInfo

AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
INFO = CallInfo("a", "n1", "", "12345", "12345", "waiting", AT, AT)


class World:
    """Core and registry in one."""

    def __init__(self) -> None:
        self.waiting: tuple[str, ...] = ("a", "b")
        self.held: tuple[str, ...] = ("a", "b")
        self.closed: list[str] = []
        self.broken: Exception | None = None

    async def unfinished_calls(self) -> tuple[str, ...]:
        return self.waiting

    async def close(self, conversation: str, at: datetime) -> None:
        self.closed.append(conversation)
        self.waiting = tuple(call for call in self.waiting if call != conversation)

    async def calls(self) -> Calls:
        if self.broken:
            raise self.broken
        return Calls(tuple(replace(INFO, call=call) for call in self.held), ())


async def test_who_is_held_by_nobody_twice_is_called_back() -> None:
    world = World()
    lost = LostCalls(world, world, lambda: AT)
    assert await lost.look() == 0
    world.held = ("a",)
    assert await lost.look() == 0  # their node may only have lost Redis for a moment
    assert await lost.look() == 1
    assert world.closed == ["b"]
    assert await lost.look() == 0


async def test_who_is_held_again_is_left_alone() -> None:
    world = World()
    lost = LostCalls(world, world, lambda: AT)
    for held in ((), ("a", "b"), (), ("a", "b")):
        world.held = held
        assert await lost.look() == 0
    assert world.closed == []


@pytest.mark.parametrize(
    "broken", [ControlError("redis_lost"), ConversationError("store_down", "")]
)
async def test_where_nothing_is_known_nobody_is_ended(broken: Exception) -> None:
    world = World()
    lost = LostCalls(world, world, lambda: AT)
    world.held = ()
    assert await lost.look() == 0
    world.broken = broken
    assert await lost.look() == 0
    world.broken = None
    assert await lost.look() == 0
    assert await lost.look() == 2
