"""Calls while the database is away: what was said is kept on disk, and becomes an order later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from bot.bus import Bus
from bot.conversation import Conversations, Parts
from bot.errors import ConversationError
from config.city import City
from handoff.order.journal import Journal, waiting
from store.tables import HandoffEntry, WorkOrder, WorkOrderField
from tests.bot.test_conversation import NOBODY, Talk, nothing, urgent
from tests.fakes.dialogue import FakeDialogue


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
async def away(
    tmp_path: Path, city: City, now: datetime, journal: Journal
) -> AsyncIterator[Conversations]:
    """A core whose database is not there."""
    gone = create_engine(f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3")
    bus = Bus(NOBODY)
    core = Conversations(
        Parts(gone, city, FakeDialogue(), bus, urgent, lambda _code: ("", ""), nothing,
              lambda: now, journal=journal)
    )  # fmt: skip
    yield core
    await bus.stop()
    gone.dispose()


async def open_call(core: Conversations, now: datetime, channel: str = "phone") -> None:
    with pytest.raises(ConversationError):
        await core.open("c1", channel=channel, line="12345", citizen="13900139000", at=now)


async def test_a_call_without_a_database_becomes_an_order_when_it_is_back(
    away: Conversations, engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    talk = Talk(engine, city, now, "phone")
    await open_call(away, now)
    for text in ("楼下烧烤摊油烟很大", "着火了"):
        with pytest.raises(ConversationError):
            await away.hear(talk.heard(text, "speech"))
    assert await away.keep("c1", now)
    assert await away.keep("c1", now)
    assert len(waiting(journal.folder)) == 1
    (drained,) = journal.drain(engine, now, city)
    assert drained.written.number.endswith("00001")
    (order,) = talk.rows(WorkOrder)
    assert order.urgency == "danger"
    assert "着火了" in {field.quote for field in talk.rows(WorkOrderField)}
    phone = next(field for field in talk.rows(WorkOrderField) if field.name == "phone")
    assert phone.value == "13900139000"
    assert talk.rows(HandoffEntry) == []  # the hunt group had them at once
    await talk.bus.stop()


async def test_what_goes_on_with_a_turn_takes_its_place(
    away: Conversations, engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    talk = Talk(engine, city, now, "phone")
    await open_call(away, now)
    first = talk.heard("楼下烧烤摊", "speech")
    whole = replace(talk.heard("楼下烧烤摊油烟很大", "speech"), continues=first.id)
    for heard in (first, whole):
        with pytest.raises(ConversationError):
            await away.hear(heard)
    await away.keep("c1", now)
    journal.drain(engine, now, city)
    what = next(field for field in talk.rows(WorkOrderField) if field.name == "what")
    assert what.value.count("烧烤摊") == 1
    await talk.bus.stop()


async def test_a_chat_keeps_nothing_since_its_page_sends_again(
    away: Conversations, now: datetime, journal: Journal
) -> None:
    await open_call(away, now, "web")
    assert not await away.keep("c1", now)
    assert waiting(journal.folder) == ()


async def test_a_disk_that_takes_nothing_is_told(
    away: Conversations, now: datetime, journal: Journal
) -> None:
    journal.folder.write_text("no folder")
    await open_call(away, now)
    assert not await away.keep("c1", now)


async def test_what_is_over_is_forgotten(away: Conversations, now: datetime) -> None:
    await open_call(away, now)
    with pytest.raises(ConversationError):
        await away.close("c1", now)
    assert not await away.keep("c1", now)
