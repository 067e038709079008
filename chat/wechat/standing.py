"""Where somebody stands who waits for a person: told once, with the hand-over itself.

The page shows it as it changes; in WeChat each time would cost one of the few messages. Who wants
to know later asks.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Any, Protocol

from bot.waiting import standing_told
from chat.core import Conversations
from config.prompts import Prompts
from turns.replies import Say
from turns.standing import Standing


class Core(Conversations, Protocol):
    """What WeChat needs of the conversation core; ``bot.conversation`` is one."""

    def standings(self, conversation: str) -> AsyncIterator[Standing | None]:
        """Where the citizen stands in the queue, now and whenever that may have changed."""


async def told_standing(
    core: Core, prompts: Prompts, conversation: str, heard: str, at: datetime
) -> bool:
    """Tell who waits since their turn ``heard`` where they stand; whether there was anything.

    Raises ``bot.errors.ConversationError``.
    """
    standings = core.standings(conversation)
    async with closing(standings):
        standing = await anext(standings, None)
    if standing is None or not standing.waits:
        return False
    say = Say(f"{heard}.standing", standing_told(prompts, standing, voice=False))
    await core.tell(conversation, say, speaker="bot", at=at)
    return True


@contextlib.asynccontextmanager
async def closing(news: AsyncIterator[Any]) -> AsyncGenerator[None, None]:
    """Nobody reads ``news`` any further after this."""
    try:
        yield
    finally:
        if isinstance(news, AsyncGenerator):
            await news.aclose()
