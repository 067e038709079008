"""What the web chat needs of the conversation core; ``bot.conversation`` is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from turns.heard import Heard
from turns.replies import Reply, Speaker, Told


class Conversations(Protocol):
    """Every conversation of the front door, whatever its channel."""

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime
    ) -> None:
        """Begin the conversation and tell the greeting; no effect if it is open already."""

    async def hear(self, heard: Heard) -> None:
        """Take a citizen's turn; returns when it is in the database. Repeated ids are dropped.

        Raises ``bot.errors.ConversationError``.
        """

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = ""
    ) -> None:
        """Say something to the citizen (``to`` is the turn it answers); all readers get it.

        Raises ``bot.errors.ConversationError``.
        """

    def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """Everything told after ``cursor``, then whatever is told next, without end."""

    async def close(self, conversation: str, at: datetime) -> None:
        """The citizen is gone for good; closing twice is harmless."""
