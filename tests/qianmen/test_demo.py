"""Whose front door a demonstration uses: the one that runs or is just starting, or its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from qianmen import demo

READY: dict[str, Any] = {"up": True, "processes": []}


def report(*states: str) -> dict[str, Any]:
    return {"up": False, "processes": [{"state": state} for state in states]}


@pytest.mark.parametrize(
    ("reports", "own"),
    [
        ([READY], False),
        ([report("RUNNING", "STARTING"), report("RUNNING", "RUNNING"), READY], False),
        ([report("UNKNOWN", "UNKNOWN")], True),
        ([report("RUNNING", "STARTING"), report("RUNNING", "FATAL")], True),
    ],
)
async def test_a_front_door_that_is_just_starting_is_waited_for(
    reports: list[dict[str, Any]], own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, started = iter(reports), []

    async def status(_settings: Settings) -> dict[str, Any]:
        return next(looks)

    @asynccontextmanager
    async def front_door(settings: Settings) -> AsyncIterator[None]:
        started.append(settings)
        yield

    async def work(settings: Settings) -> str:
        return str(settings.data_dir)

    monkeypatch.setattr(demo, "LOOK_S", 0.0)
    monkeypatch.setattr(demo, "status", status)
    monkeypatch.setattr(demo, "front_door", front_door)
    monkeypatch.setattr(demo, "welcome", lambda *_: None)
    assert await demo.with_front_door(Settings(data_dir=tmp_path), work) == str(tmp_path)
    assert bool(started) == own
    assert next(looks, None) is None, "every report was asked for"
