"""What the web chat needs of the conversation core; ``bot.conversation`` is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from bot.people import Writer, Writes
from turns.heard import Heard
from turns.replies import Reply, Speaker, Told
from turns.standing import Standing


class Conversations(Protocol):
    """Every conversation of the front door, whatever its channel."""

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime,
        region: str = "",
    ) -> None:  # fmt: skip
        """Begin the conversation and tell the greeting; no effect if it is open already.

        ``region``: the code of the citizen's, where it is known.
        """

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

    def company(self, conversation: str) -> AsyncIterator[Standing | Writes | None]:
        """While the citizen's page is open: where they stand in the queue, whether their person
        writes, whenever that changes.
        """

    def typing(self, conversation: str, who: Writer) -> None:
        """``who`` is writing now."""

    def gone(self, conversation: str, patience_s: float) -> None:
        """Their page was closed; unless it comes back in time, they wait for nobody any more."""
