"""Orders in danger, and a city that is linked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine

from config.city import City
from config.links import Links, Party, Target
from handoff.orders import write
from store.engine import writing
from store.tables import Conversation
from turns.orders import OrderDraft, OrderField, Provenance
from turns.replies import Urgency

KEY = b"a key of more than 24 characters"
OLD = b"the key before it, as long as it is"
PHONE, NAME, WHERE = "13900139000", "王小明", "建业小区9号楼"
Write = Callable[..., str]


@pytest.fixture
def links() -> Links:
    """110 hears everything, the gas company its own; two webhooks."""
    return Links(
        parties=(
            Party(name="110", label="公安110", url="http://far.test/110", pushes=True),
            Party(name="gas", label="燃气公司", url="http://far.test/gas", topics=("gas",),
                  departments=("燃气办",), caller="never", alarm_after_s=60),
        ),
        targets=(
            Target(name="erp", url="http://far.test/erp", topics=("order.*",)),
            Target(name="wall", url="http://far.test/wall", topics=("handoff.requested",)),
        ),
    )  # fmt: skip


@pytest.fixture
def linked(city: City, links: Links) -> City:
    return city.model_copy(update={"links": links})


@pytest.fixture
def order(engine: Engine, linked: City, now: datetime) -> Write:
    """Writes an order; its id."""

    def made(key: str = "k1", *, urgency: Urgency = "danger", danger: str = "gas",
             secret: bool = False, city: City = linked) -> str:  # fmt: skip
        with writing(engine) as session:
            if session.get(Conversation, f"c-{key}") is None:
                session.add(Conversation(id=f"c-{key}", channel="web", started_at=now))
        source = Provenance("h1", "quote", now, 0.9, "rule")
        values = {"what": "家里煤气味很大", "where": WHERE, "phone": PHONE, "name": NAME}
        fields = tuple(OrderField(name, value, source) for name, value in values.items())
        draft = OrderDraft(key, f"c-{key}", "web", "12345", "求助", urgency, "煤气味很大",
                           fields=fields, secret=secret)  # fmt: skip
        return write(engine, draft, now=now, city=city, danger=danger).id

    return made
