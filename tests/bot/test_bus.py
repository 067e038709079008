"""The bus over a Redis that goes away and comes back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.bus import HEARD, Bus, News, Reader, Watch
from tests.fakes.valkey import valkey
from tests.ports import free_port
from turns.replies import Say, Told


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


def tell(cursor: int, after: int) -> News:
    say = Say(f"s{cursor}", str(cursor))
    return News("told", after, (Told(cursor, "c1", "bot", say, datetime(2026, 1, 1, tzinfo=UTC)),))


def cursors(told: tuple[Told, ...] | None) -> list[int] | None:
    return None if told is None else [one.cursor for one in told]


def test_a_reader_has_what_was_told_here_with_the_news() -> None:
    reader = Reader()
    for news in (tell(5, 2), HEARD, tell(7, 5)):
        reader.wake(news)
    assert cursors(reader.take(2)) == [5, 7]
    assert reader.take(7) is None, "nothing is known: it looks"


@pytest.mark.parametrize("news", [tell(7, 6), News("told"), News()])
def test_what_was_told_elsewhere_in_between_is_read(news: News) -> None:
    reader = Reader()
    reader.wake(tell(5, 2))
    reader.wake(news)
    assert reader.take(2) is None
    reader.wake(tell(9, 7))
    assert cursors(reader.take(7)) == [9], "and from then on it is known again"


def test_news_that_come_in_another_order_are_told_once() -> None:
    reader = Reader()
    reader.wake(tell(7, 5))
    reader.wake(tell(5, 2))
    assert reader.take(2) is None
    reader.wake(tell(5, 2))
    assert cursors(reader.take(7)) == []


async def test_who_waits_for_one_kind_of_news_sleeps_through_others() -> None:
    watch = Watch(frozenset({""}))
    for news in (HEARD, tell(5, 2)):
        watch.wake(news)
    assert not watch.woken
    watch.wake(News())
    assert watch.woken


async def test_other_processes_are_told_of_what_kind_the_news_are(tmp_path: Path) -> None:
    port = free_port()
    with valkey(tmp_path / "redis", port):
        here, there = (Bus(f"redis://127.0.0.1:{port}/0") for _ in range(2))
        there.start()
        reader = Reader()
        with there.watch("c1", reader), there.watch("ready") as ready:
            async with asyncio.timeout(60):
                while not await ready.wait(0.05):  # it listens to what comes, not to what was
                    here.tell("ready")
                here.tell("c1", HEARD)
                here.tell("ready")
                while not await ready.wait(0.05):
                    pass
                assert not reader.woken
                here.tell("c1", tell(5, 2))
                await reader.wait(60)
        assert reader.take(0) is None, "what was told stands in the database only"
        await here.stop()
        await there.stop()
