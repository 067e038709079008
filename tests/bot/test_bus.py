"""The bus over a Redis that goes away and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.bus import Bus, Watch
from tests.fakes.valkey import valkey
from tests.ports import free_port


async def told(logs: list[dict[str, object]], count: int) -> list[object]:
    """The codes, once there are so many."""
    async with asyncio.timeout(60):
        while len(logs) < count:  # noqa: ASYNC110  # a log gives no event
            await asyncio.sleep(0.02)
    return [line["code"] for line in logs]


async def test_a_lost_redis_is_told_once_and_wakes_are_not_lost_here(tmp_path: Path) -> None:
    port = free_port()
    bus = Bus(f"redis://127.0.0.1:{port}/0")
    with capture_logs() as logs:
        with valkey(tmp_path / "redis", port):
            bus.start()
            with bus.watch("c1") as watch:
                bus.tell("c1")
                await watch.wait()
        assert await told(logs, 1) == ["redis_lost"]  # type: ignore[arg-type]  # structlog's dicts
        with bus.watch("c1") as watch:
            bus.tell("c1")
            await watch.wait()
        with valkey(tmp_path / "redis", port):
            assert await told(logs, 2) == ["redis_lost", "redis_back"]  # type: ignore[arg-type]  # as above
        await bus.stop()


@pytest.mark.parametrize("steps", range(5))
async def test_a_waiter_ends_though_news_comes_with_its_cancellation(steps: int) -> None:
    watch = Watch()
    watch.wake()

    async def read() -> None:
        while True:
            await watch.wait()

    reader = asyncio.create_task(read())
    for _ in range(steps):
        await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait({reader}, timeout=60)
    assert reader.cancelled()
