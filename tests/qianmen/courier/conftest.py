"""A courier in miniature: the real thing on a database of its own, a simulated far side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.bus import Bus
from config.city import City
from config.links import Links
from handoff.links.emergency import HttpLink
from handoff.links.http import Post
from handoff.orders import write
from qianmen.courier.courier import Courier, Parts
from store.engine import writing
from store.tables import Conversation
from turns.orders import OrderDraft, OrderField, Provenance

KEY = b"a key of more than 24 characters"
NOBODY = "redis://127.0.0.1:1/0"
"""No Redis: the courier must do without."""
KEYS = {"110": (KEY,), "gas": (KEY,), "erp": (KEY,)}
PATIENCE_S = 60.0
Settled = Callable[[Callable[[], bool]], Any]


def links(url: str, *, gas: str = "", **more: Any) -> Links:
    """110 and the gas company at the simulator (or elsewhere), and a webhook."""
    given = {
        "parties": [
            {"name": "110", "label": "公安110", "url": f"{url}/110", "allow_private": True,
             "alarm_after_s": 1},
            {"name": "gas", "label": "燃气公司", "url": f"{gas or url}/gas", "topics": ["gas"],
             "allow_private": True, "alarm_after_s": 1},
        ],
        "targets": [{"name": "erp", "url": f"{url}/erp", "allow_private": True}],
        "connect_s": 5, "total_s": 10, "again_s": [0.05], "danger_again_s": [0.05],
    }  # fmt: skip
    return Links.model_validate(given | more)


@asynccontextmanager
async def courier(engine: Engine, city: City, *, keys: Any = KEYS) -> AsyncIterator[Courier]:
    """One that runs while inside."""
    bus = Bus(NOBODY)
    async with Post(city.links) as post:
        link = HttpLink(post, city.links, keys)
        made = Courier(Parts(engine, city, bus, link, post, keys))
        await made.start()
        try:
            yield made
        finally:
            assert made.alive
            await made.stop()
            await bus.stop()


def endanger(engine: Engine, city: City, key: str = "k1", *, secret: bool = False) -> str:
    """An order in danger of a citizen who is still there; its id."""
    now = datetime.now(UTC)
    with writing(engine) as session:
        session.add(Conversation(id=f"c-{key}", channel="web", state="waiting", started_at=now))
    source = Provenance("h1", "quote", now, 0.9, "rule")
    fields = (OrderField("what", "家里煤气味很大", source),
              OrderField("phone", "13900139000", source))  # fmt: skip
    draft = OrderDraft(key, f"c-{key}", "web", "12345", "求助", "danger", "煤气味很大",
                       fields=fields, secret=secret)  # fmt: skip
    return write(engine, draft, now=now.astimezone(city.zone), city=city, danger="gas").id


async def until(true: Callable[[], bool]) -> None:
    """Return once ``true()``; it is asked off the loop, since it reads the database."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110  # a database tells nobody
            await asyncio.sleep(0.02)


@pytest.fixture
def linked(city: City) -> Callable[..., City]:
    """The sample city with these links."""
    return lambda url, **more: city.model_copy(update={"links": links(url, **more)})
