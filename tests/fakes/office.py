"""A web process in miniature: the real app and core on a database of its own, a fake dialogue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import Engine

from bot.bus import Bus
from bot.conversation import Conversations, Parts
from bot.join import urgent_rule
from chat.limits import Limits
from config.city import City
from config.settings import Settings
from tests.fakes.dialogue import FakeDialogue
from web.app import create_app
from web.health import Probe

NOBODY = "redis://127.0.0.1:1/0"
"""No Redis: the core must do without."""
KEY = "a key that only tests know"


@dataclass
class Office:
    """Everything a test of the pages turns to; ``restart`` is another process on the same data."""

    folder: Path
    engine: Engine
    city: City
    now: Callable[[], datetime]
    limits: Limits | None = None
    probes: tuple[Probe, ...] = ()
    dialogue: FakeDialogue = field(default_factory=FakeDialogue)

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.folder, secret_key=KEY)
        self.app = self.start()

    def start(self) -> FastAPI:
        """A web process."""
        bus = Bus(NOBODY)
        self.core = Conversations(
            Parts(
                self.engine, self.city, self.dialogue, bus, urgent_rule(self.city),
                lambda code: ("", ""), lambda said, now: (), self.now,
            )
        )  # fmt: skip
        core = self.core

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield
            await core.settled()
            await bus.stop()

        return create_app(
            self.settings, self.city, self.engine, core,
            probes=self.probes, limits=self.limits, now=self.now, lifespan=lifespan,
        )  # fmt: skip
