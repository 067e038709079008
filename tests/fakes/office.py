"""A web process in miniature: the real app and core on a database of its own, a fake dialogue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine

from bot.bus import Bus
from bot.conversation import Conversations, Parts
from bot.join import urgent_rule
from bot.service_queue import ServiceQueue
from bot.triage import UrgentRule
from chat.limits import Limits
from config.city import City
from config.settings import Settings
from handoff.classify import Rules
from handoff.prefill import Said
from tests.fakes.dialogue import FakeDialogue
from turns.orders import OrderField
from web.agents.floor import Floor
from web.agents.parts import Control, Joints, Lookup
from web.app import create_app
from web.health import Probe

_RULES: dict[Path, UrgentRule] = {}  # a second to compile: once for all tests
NOBODY = "redis://127.0.0.1:1/0"
"""No Redis: the core must do without."""
KEY = "a key that only tests know"


@dataclass
class Office:
    """Everything a test of the pages turns to; ``restart`` is another process on the same data.

    ``agents``: desks may be opened, and the queue is served. ``more``: settings beside the least.
    ``extract`` finds an order's fields in what was said.
    """

    folder: Path
    engine: Engine
    city: City
    now: Callable[[], datetime]
    limits: Limits | None = None
    probes: tuple[Probe, ...] = ()
    control: Control | None = None
    lookup: Lookup | None = None
    rules: Rules | None = None
    agents: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    extract: Callable[[tuple[Said, ...], datetime], tuple[OrderField, ...]] = lambda said, now: ()
    loop: asyncio.AbstractEventLoop = field(init=False)
    dialogue: FakeDialogue = field(default_factory=FakeDialogue)

    def let_the_dialogue_answer(self) -> None:
        """Open its gate, from whatever thread the test runs in."""
        self.loop.call_soon_threadsafe(self.dialogue.gate.set)

    def __post_init__(self) -> None:
        mine = {"data_dir": self.folder, "secret_key": KEY, "redis_url": NOBODY, **self.more}
        self.settings = Settings(**mine)
        self.app = self.start()

    def start(self) -> FastAPI:
        """A web process."""
        bus = Bus(NOBODY)
        if self.city.folder not in _RULES:
            _RULES[self.city.folder] = urgent_rule(self.city)
        self.core = Conversations(
            Parts(
                self.engine, self.city, self.dialogue, bus, _RULES[self.city.folder],
                lambda code: ("", ""), self.extract, self.now,
                queue=ServiceQueue(self.engine, self.city.queue, lambda: True),
            )
        )  # fmt: skip
        core = self.core

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            self.loop = asyncio.get_running_loop()
            floor: Floor = app.state.site.floor
            if self.agents:
                floor.start()
            yield
            await floor.stop()
            await core.settled()
            await bus.stop()

        return create_app(
            self.settings, self.city, self.engine, core,
            probes=self.probes, limits=self.limits, now=self.now, lifespan=lifespan,
            joints=Joints(bus, self.control, self.lookup, self.rules),
        )  # fmt: skip
