"""Orders to live through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from config.orders import OrderRules
from handoff.orders import write
from store.engine import writing
from store.tables import Conversation
from turns.orders import OrderDraft, OrderField, Provenance

WATER = "水务局"
CITY_GUARD = "城市管理局"


@pytest.fixture
def rules() -> OrderRules:
    return OrderRules()


@pytest.fixture
def made(engine: Engine, now: datetime) -> Callable[[str], str]:
    """Writes an order and gives its number."""

    def make(key: str = "k1") -> str:
        with writing(engine) as session:
            if session.get(Conversation, f"c-{key}") is None:
                session.add(Conversation(id=f"c-{key}", channel="web", started_at=now))
        source = Provenance("h1", "楼下烧烤摊油烟特别呛人", now, 0.87, "form.what", "citizen")
        field = OrderField("what", "楼下烧烤摊油烟", source)
        draft = OrderDraft(
            key, f"c-{key}", "web", "12345", "投诉", "normal", "油烟扰民", fields=(field,)
        )
        return write(engine, draft, now=now).number

    return make


@pytest.fixture
def number(made: Callable[[str], str]) -> str:
    return made("k1")
