"""Orders that wait on disk are written by the process that kept them, once the database is back.

The keeper does the same for its host, and outlives this process: whoever comes first writes them,
each exactly once.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot import answered, history
from bot.parts import Parts
from bot.queue import QUEUE_NEWS
from config.city import City
from handoff.order.journal import STALE, Drained, Journal
from handoff.order.journalfiles import waiting
from turns.replies import Say

AGAIN_S = 5.0
"""How long until the database is tried again."""
_LISTENING = ("bot", "waiting")
"""Whom a person has, that person tells."""
_log = structlog.get_logger(__name__)


class Draining:
    """Watches the journal from when this process kept an order until nothing waits any more."""

    def __init__(self, parts: Parts, again_s: float = AGAIN_S) -> None:
        self._parts = parts
        self._again_s = again_s
        self._task: asyncio.Task[None] | None = None

    def kept(self) -> None:
        """An order was kept, or may have been: look after the journal. In the core's loop."""
        if self._parts.journal is not None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._drain(self._parts.journal), name="draining")

    async def settled(self) -> None:
        """Wait until nothing waits any more; at once where nothing was kept."""
        if self._task is not None:
            await self._task

    async def _drain(self, journal: Journal) -> None:
        parts = self._parts
        while await asyncio.to_thread(waiting, journal.folder):
            await asyncio.sleep(self._again_s)
            try:
                done = await asyncio.to_thread(
                    drain_and_tell, parts.engine, journal, parts.city, parts.now()
                )
            except (SQLAlchemyError, OSError):
                continue  # still away; the store's own log says why
            for one in done:
                parts.bus.tell(one.kept.draft.conversation)
            if done:
                parts.bus.tell(QUEUE_NEWS)


def drain_and_tell(
    engine: Engine, journal: Journal, city: City, now: datetime
) -> tuple[Drained, ...]:
    """Write what waits; whoever still writes is told the number that was to follow. Synchronous.

    Raises the database's error where it is away again.
    """
    done = journal.drain(engine, now, city)
    for one in done:
        _tell_number(engine, city, one, now)
    return done


def _tell_number(engine: Engine, city: City, done: Drained, now: datetime) -> None:
    """Callers have hung up: the alarm asks people to tell them."""
    talk = done.kept.draft.conversation
    state = history.read_state(engine, talk)
    listens = state is not None and state.channel != "phone" and state.state in _LISTENING
    if not listens or now - done.kept.at > STALE:
        return
    text = city.prompts.fill("order_done", number=done.written.number)
    say = Say(f"{done.written.id}.number", text)
    if all(told.reply.id != say.id for told in history.told_after(engine, talk, 0)):
        answered.commit_told(engine, talk, (say,), speaker="system", at=now)
