"""Join the dialogue from its real parts: what is published, and the orders in the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.actions.dialogue import Dialogue
from config.city import City
from handoff.classify import rules_of
from handoff.filled import completed, fields_filled
from handoff.order.journal import Journal
from handoff.orders import write
from handoff.talkturns import from_first, spoken_turns
from handoff.told import Spoken
from knowledge.editing import place_of
from knowledge.published import Published
from knowledge.search import Search
from store.engine import reading
from turns.orders import OrderDraft, WrittenOrder


def joined(
    city: City, engine: Engine, cache: Path | None = None, journal: Journal | None = None
) -> Dialogue:
    """The dialogue on the real knowledge and the real database.

    ``cache``: a folder that keeps trained classifiers from start to start. ``journal``: where
    orders wait while the database is away; without one they are refused then.
    """
    place = place_of(city)
    published = Published(
        engine, parents=place.parents, regions=place.regions, calibration=place.calibration,
        zone=place.zone, cache=cache,
    )  # fmt: skip

    async def knowledge() -> Search:
        return await asyncio.to_thread(published.search)

    rules = rules_of(city, cache)
    write_one = journal.write if journal else write

    def write_filled(draft: OrderDraft) -> WrittenOrder:
        """What the talk told beside the form's questions belongs to the order too."""
        turns: tuple[Spoken, ...] = ()
        with suppress(SQLAlchemyError), reading(engine) as session:  # the order counts for more
            turns = spoken_turns(session, draft.conversation)
        filled = completed(draft, fields_filled(from_first(turns, draft.fields), rules))
        return write_one(engine, filled, now=datetime.now(city.zone), city=city)

    async def write_order(draft: OrderDraft) -> WrittenOrder:
        return await asyncio.to_thread(write_filled, draft)

    return Dialogue(city, knowledge, write_order)
