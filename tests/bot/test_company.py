"""What is beside an open page, in one task: where they stand, their person's typing, the roll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from bot.bus import HEARD, Watch
from bot.people import Writes
from config.city import City
from tests.bot.test_queued import DOWN, STANDS, Queueing
from turns.standing import Standing


@pytest.fixture
async def chat(engine: Engine, city: City, now: datetime) -> AsyncIterator[Queueing]:
    talk = Queueing(engine, city, now, "web")
    await talk.open()
    yield talk
    await talk.bus.stop()


async def next_of(company: AsyncIterator[Standing | Writes | None]) -> Standing | Writes | None:
    async with asyncio.timeout(60):
        return await anext(company)


async def test_place_and_typing_are_told_side_by_side(
    chat: Queueing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.TYPING_S", 0.05)
    company = chat.core.company("c1")
    assert await next_of(company) is None
    chat.core.typing("c1", "citizen")  # not their person
    chat.core.typing("c1", "agent")
    assert await next_of(company) == Writes(on=True)
    chat.queue.stands = STANDS
    chat.core.standing_changed("c1")
    assert {await next_of(company), await next_of(company)} == {STANDS, Writes(on=False)}
    await company.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_that_they_were_heard_asks_nothing_of_the_database(chat: Queueing) -> None:
    company = chat.core.company("c1")
    await next_of(company)
    chat.bus.tell("c1", HEARD)
    chat.queue.stands = STANDS
    chat.core.typing("c1", "agent")
    assert await next_of(company) == Writes(on=True)
    chat.queue.stands = moved = replace(STANDS, position=1)
    chat.core.standing_changed("c1")
    assert await next_of(company) == moved  # and no look between
    await company.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_the_roll_is_answered(chat: Queueing) -> None:
    company = chat.core.company("c1")
    await next_of(company)
    coming = asyncio.ensure_future(anext(company))
    await asyncio.sleep(0)
    with chat.bus.watch("#here:c1", Watch()) as here:
        chat.bus.tell("#who:c1")
        assert await here.wait(60)
    coming.cancel()
    await asyncio.wait([coming])


async def test_a_queue_that_cannot_be_read_is_asked_again(
    chat: Queueing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.people.AGAIN_S", 0.01)
    looks = iter((DOWN, DOWN))
    right = chat.queue.standing

    def standing(conversation: str, now: datetime) -> Standing | None:
        if (fault := next(looks, None)) is not None:
            raise fault
        return right(conversation, now)

    monkeypatch.setattr(chat.queue, "standing", standing)
    chat.queue.stands = STANDS
    company = chat.core.company("c1")
    with capture_logs() as logs:
        assert await next_of(company) == STANDS
    unknown = [log["code"] for log in logs if log["event"] == "standing_unknown"]
    assert unknown == ["store_down"] * 2
    await company.aclose()  # type: ignore[attr-defined]  # an async generator
