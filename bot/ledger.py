"""The record as the core writes it: off the event loop, and told to whoever watches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot import answered, metrics, records
from bot.answered import NOTHING, Notes, Written
from bot.bus import News, NewsKind
from bot.errors import ConversationError
from bot.parts import Parts
from store.faults import fault_of
from turns.heard import Heard
from turns.replies import Reply, Speaker

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Cost:
    """What a turn costs: when that began, s; once it is noted, how much it was, ms."""

    began_s: float
    timings: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """What is read and written of conversations; all of it raises ``store_down``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.answerer = ""
        """What this process calls itself where it claims turns (`bot.tending`)."""
        self.kept: Callable[[], None] = lambda: None
        """Called when an order was kept on disk: its number is to follow (`bot.draining`)."""
        self._costs: dict[tuple[str, str], _Cost] = {}

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run ``function(engine, …)`` in a thread; raises :class:`ConversationError`."""
        try:
            return await asyncio.to_thread(function, self._parts.engine, *args, **kwargs)
        except SQLAlchemyError as error:
            _log.error("store_failed", code="store_down", fault=fault_of(error))
            raise ConversationError("store_down", "the database does not answer") from None

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = "",
        answerer: str = "", notes: Notes = NOTHING, moves: bool = False,
    ) -> None:  # fmt: skip
        """Commit what is said to the citizen, in answer to turn ``to``; an agent takes over.

        ``answerer``: the process that has the turn; nothing is told, nor are ``notes`` of the turn
        made, where it has lost it. ``moves``: with it the citizen has another place in the queue or
        none; an agent's words do that too.
        """
        written: Written | None = await self.call(
            answered.commit_told, conversation, replies, speaker=speaker, at=at, in_reply_to=to,
            answerer=answerer, notes=notes,
        )  # fmt: skip
        if written is None:
            _log.warning("answer_dropped", code="turn_lost", conversation=conversation)
            return
        if speaker == "agent":
            await self.call(records.connect_person, conversation, at)
        kind: NewsKind = "" if moves or speaker == "agent" else "told"
        self._parts.bus.tell(conversation, News(kind, written.after, written.told))

    async def reply(
        self, heard: Heard, *replies: Reply, notes: Notes = NOTHING, moves: bool = False
    ) -> None:
        """The bot's answer to ``heard``; ``notes`` of it, and what it cost, are made with it."""
        cost = self._costs.get((heard.conversation, heard.id))
        if cost is not None:
            cost.timings = {"dialogue_ms": round((perf_counter() - cost.began_s) * 1000, 1)}
            notes = replace(notes, timings=cost.timings)
        await self.tell(
            heard.conversation, *replies, speaker="bot", at=self._parts.now(), to=heard.id,
            answerer=self.answerer, notes=notes, moves=moves,
        )  # fmt: skip

    @contextlib.contextmanager
    def timed(self, heard: Heard) -> Iterator[None]:
        """``heard`` is answered while inside: what that costs is noted with the answer."""
        key = (heard.conversation, heard.id)
        self._costs[key] = _Cost(perf_counter())
        try:
            yield
        finally:
            del self._costs[key]

    async def done(self, heard: Heard) -> tuple[float, dict[str, Any]]:
        """``heard``, which is ``timed``, has been answered: how long that took, s; what is noted of
        its cost by part, in ms.
        """
        cost = self._costs[heard.conversation, heard.id]
        cost_s = perf_counter() - cost.began_s
        if cost.timings:
            return cost_s, cost.timings
        timings = {"dialogue_ms": round(cost_s * 1000, 1)}
        return cost_s, await self.note(heard.conversation, heard.id, timings)

    async def note(
        self, conversation: str, heard: str, timings: dict[str, float]
    ) -> dict[str, Any]:
        """Add to what a turn cost, by part, in ms; what is noted now."""
        before, after = await self.call(
            answered.note_timings, conversation, heard, timings, self.answerer
        )
        metrics.gap_known(before, after)
        return dict(after)
