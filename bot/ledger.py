"""The record as the core writes it: off the event loop, and told to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot import metrics, records
from bot.errors import ConversationError
from bot.parts import Parts
from store.faults import fault_of
from turns.heard import Heard
from turns.replies import Reply, Speaker

_log = structlog.get_logger(__name__)


class Ledger:
    """What is read and written of conversations; all of it raises ``store_down``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.answerer = ""
        """What this process calls itself where it claims turns (`bot.tending`)."""
        self.kept: Callable[[], None] = lambda: None
        """Called when an order was kept on disk: its number is to follow (`bot.draining`)."""

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run ``function(engine, …)`` in a thread; raises :class:`ConversationError`."""
        try:
            return await asyncio.to_thread(function, self._parts.engine, *args, **kwargs)
        except SQLAlchemyError as error:
            _log.error("store_failed", code="store_down", fault=fault_of(error))
            raise ConversationError("store_down", "the database does not answer") from None

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = "",
        answerer: str = "",
    ) -> None:  # fmt: skip
        """Commit what is said to the citizen, in answer to turn ``to``; an agent takes over.

        ``answerer``: the process that has the turn; nothing is told where it has lost it.
        """
        told = await self.call(
            records.commit_told, conversation, replies, speaker=speaker, at=at, in_reply_to=to,
            answerer=answerer,
        )  # fmt: skip
        if not told:
            _log.warning("answer_dropped", code="turn_lost", conversation=conversation)
            return
        if speaker == "agent":
            await self.call(records.connect_person, conversation, at)
        self._parts.bus.tell(conversation)

    async def reply(self, heard: Heard, *replies: Reply) -> None:
        """The bot's answer to ``heard``."""
        at = self._parts.now()
        by = self.answerer
        await self.tell(
            heard.conversation, *replies, speaker="bot", at=at, to=heard.id, answerer=by
        )

    async def note(
        self, conversation: str, heard: str, timings: dict[str, float]
    ) -> dict[str, Any]:
        """Add to what a turn cost, by part, in ms; what is noted now."""
        before, after = await self.call(
            records.note_timings, conversation, heard, timings, self.answerer
        )
        metrics.gap_known(before, after)
        return dict(after)
