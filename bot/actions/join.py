"""Join the dialogue from its real parts: what is published, and the orders in the database."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from bot.actions.dialogue import Dialogue
from config.city import City
from handoff.orders import write
from knowledge.editing import place_of
from knowledge.published import Published
from knowledge.search import Search
from turns.orders import OrderDraft, WrittenOrder


def joined(city: City, engine: Engine, cache: Path | None = None) -> Dialogue:
    """The dialogue on the real knowledge and the real database.

    ``cache``: a folder that keeps trained classifiers from start to start.
    """
    place = place_of(city)
    published = Published(
        engine, parents=place.parents, regions=place.regions, calibration=place.calibration,
        zone=place.zone, cache=cache,
    )  # fmt: skip

    async def knowledge() -> Search:
        return await asyncio.to_thread(published.search)

    async def write_order(draft: OrderDraft) -> WrittenOrder:
        return await asyncio.to_thread(write, engine, draft, now=datetime.now(city.zone))

    return Dialogue(city, knowledge, write_order)
