"""The process that kept an order on disk writes it itself once the database is back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.conversation import Conversations
from bot.draining import Draining, drain_and_tell
from config.city import City
from handoff.order.journal import Journal, Kept, drain, keep, waiting
from handoff.order.journalfiles import held
from store.tables import HandoffEntry, Turn, WorkOrder
from tests.bot.test_conversation import Talk
from turns.orders import OrderDraft


def kept_order(journal: Journal, now: datetime, key: str = "k1") -> None:
    draft = OrderDraft(key, "c1", "web", "12345", "投诉", "normal", "路灯不亮")
    keep(journal.folder, Kept(draft, now, handoff=key, reason="failure"), journal.keys)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


async def test_what_was_kept_is_written_and_its_citizen_told(
    engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    talk = Talk(engine, city, now, "web")
    await talk.open()
    parts = replace(talk.core._parts, journal=journal)  # as the process that kept it is joined
    mine = Draining(parts, again_s=0.01)
    kept_order(journal, now)
    mine.kept()
    mine.kept()  # once is enough
    await asyncio.wait_for(mine.settled(), 60)
    assert waiting(journal.folder) == ()
    (order,) = talk.rows(WorkOrder)
    assert len(talk.rows(HandoffEntry)) == 1
    told = [turn.text for turn in talk.rows(Turn) if order.number in turn.text]
    assert len(told) == 1
    await talk.bus.stop()


async def test_beside_the_keeper_each_is_written_once(
    engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    talk = Talk(engine, city, now, "web")
    await talk.open()
    for number in range(3):
        kept_order(journal, now, f"k{number}")
    mine = Draining(replace(talk.core._parts, journal=journal), again_s=0.01)
    mine.kept()
    done = await asyncio.gather(*(
        asyncio.to_thread(drain, engine, journal.folder, now, city=city) for _ in range(3)
    ))  # fmt: skip
    await asyncio.wait_for(mine.settled(), 60)
    assert waiting(journal.folder) == ()
    assert sum(len(one) for one in done) <= 3
    assert len(talk.rows(HandoffEntry)) == 1  # one citizen
    numbers = sorted(order.number for order in talk.rows(WorkOrder))
    assert numbers == sorted(set(numbers))
    await talk.bus.stop()


async def test_while_somebody_else_writes_nothing_is_done_twice(
    engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    kept_order(journal, now)
    with held(journal.folder, wait=True, name=".drain"):
        assert drain_and_tell(engine, journal, city, now) == ()
    (done,) = drain_and_tell(engine, journal, city, now)
    assert done.written.number


async def test_a_kept_call_sets_the_watch_going(
    engine: Engine, city: City, now: datetime, journal: Journal
) -> None:
    talk = Talk(engine, city, now, "phone")
    core = Conversations(replace(talk.core._parts, journal=journal))
    core._draining._again_s = 0.01
    await core.open("c1", channel="phone", line="12345", citizen="13900139000", at=now)
    await core.hear(talk.heard("楼下烧烤摊油烟很大", "speech"))
    await core.settled()
    assert await core.keep("c1", now)
    await asyncio.wait_for(core._draining.settled(), 60)
    assert waiting(journal.folder) == ()
    assert talk.rows(WorkOrder)
    await talk.bus.stop()
