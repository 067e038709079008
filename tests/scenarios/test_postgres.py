"""Two processes' cores on one PostgreSQL that is killed in the middle of a turn and comes back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import datetime

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from bot import history
from bot.bus import Bus
from bot.claims import LEASE
from bot.conversation import Conversations, Parts
from bot.errors import ConversationError
from bot.urgent import Urgent
from config.city import City
from store.engine import open_engine, reading
from store.tables import HandoffEntry, OrderNumber, Outbox, WorkOrder
from tests.fakes.dialogue import FakeDialogue
from tests.postgres import Cluster, cluster, programs
from turns.heard import Heard
from turns.understood import Outcome

NOBODY = "redis://127.0.0.1:1/0"


def a_person(text: str) -> Urgent | None:
    return Urgent("person", "wish", "人工", "person") if "人工" in text else None


class KillingDialogue(FakeDialogue):
    """Kills the database while it thinks about ``deadly``."""

    def __init__(self, server: Cluster) -> None:
        super().__init__()
        self.server, self.deadly = server, ""

    async def turn(self, sender: str, text: str, metadata: dict[str, object]) -> Outcome:
        if text == self.deadly:
            self.deadly = ""
            await asyncio.to_thread(self.server.stop, signal.SIGQUIT)
        return await super().turn(sender, text, metadata)


class Process:
    """What one process has: connections, a core, a bus that finds no Redis."""

    def __init__(self, url: str, city: City, server: Cluster, now: datetime) -> None:
        self.engine = open_engine(url)
        self.bus, self.dialogue, self.now = Bus(NOBODY), KillingDialogue(server), now
        self.core = Conversations(
            Parts(self.engine, city, self.dialogue, self.bus, a_person,
                  lambda _: ("", ""), lambda _said, _now: (), lambda: now)
        )  # fmt: skip

    async def open(self) -> None:
        await self.core.open("c1", channel="web", line="web", citizen="somebody", at=self.now)
        await self.core.settled()

    async def hear(self, number: int, text: str) -> None:
        await self.core.hear(Heard(f"h{number}", "c1", "web", "web", "text", text, self.now))
        await self.core.settled()

    async def takes_over(self, heard: str) -> None:
        """Look after turns that nobody answers any more, until this one is answered."""
        tending = asyncio.create_task(self.core.tend())
        replies = self.core.replies("c1", 0)
        assert isinstance(replies, AsyncGenerator)
        async with asyncio.timeout(60), aclosing(replies):
            async for one in replies:
                if one.in_reply_to == heard:
                    break
        tending.cancel()
        await asyncio.wait({tending})

    def told(self) -> list[tuple[str, str]]:
        told = history.told_after(self.engine, "c1", 0)
        return [(one.in_reply_to, getattr(one.reply, "text", one.reply.type)) for one in told]

    async def close(self) -> None:
        await self.bus.stop()
        self.engine.dispose()


@pytest.fixture
def server() -> Iterator[Cluster]:
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL's programs are not installed")
    with cluster(folder) as own:
        yield own


def rows(engine: Engine, table: type) -> list[object]:
    with reading(engine) as session:
        return list(session.scalars(select(table)))


async def test_a_killed_database_loses_nothing(server: Cluster, city: City, now: datetime) -> None:
    url = server.upgraded("front_door")
    web, phone = (Process(url, city, server, at) for at in (now, now + 2 * LEASE))
    await web.open()
    await web.hear(1, "你好")
    assert phone.told()[-1] == ("h1", "听到：你好")

    web.dialogue.deadly = "路灯坏了"  # heard and committed, then the database dies
    with capture_logs() as logs:
        await web.hear(2, "路灯坏了")
        with pytest.raises(ConversationError) as caught:
            await web.hear(3, "转人工")
    assert caught.value.code == "store_down"
    failed = [line for line in logs if line["event"] == "store_failed"]
    assert failed
    assert {(line["code"], line["fault"]) for line in failed} == {("store_down", "database_down")}

    server.start()
    await phone.open()  # the citizen comes back, to another process
    await phone.takes_over("h2")
    assert phone.told()[-1] == ("h2", "听到：路灯坏了")
    await web.hear(3, "转人工")  # what was not taken is sent again, with the same id
    await phone.hear(3, "转人工")
    (order,) = rows(phone.engine, WorkOrder)
    assert isinstance(order, WorkOrder)
    assert len(rows(web.engine, HandoffEntry)) == 1
    assert len(rows(web.engine, Outbox)) == 2
    (number,) = rows(web.engine, OrderNumber)
    assert isinstance(number, OrderNumber)
    assert order.number == f"{number.day:%Y%m%d}00001"
    heard = [turn.id for turn, _ in history.citizen_turns(phone.engine, "c1")]
    assert heard == ["h1", "h2", "h3"]
    assert history.unanswered(phone.engine, "c1") == ()
    answered = [to for to, _ in web.told()]
    assert answered == ["", "h1", "h2", *["h3"] * answered.count("h3")]
    await asyncio.gather(web.close(), phone.close())
