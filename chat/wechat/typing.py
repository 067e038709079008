"""That somebody writes, shown in WeChat (客服输入状态): an agent, or a slow bot.

It costs none of the messages. The platform shows it for a while by itself, and takes it back when a
message comes.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from chat.wechat import ledger
from chat.wechat.api import Api
from chat.wechat.errors import WeChatError

EVERY_S = 8.0
"""Not told again before: the platform refuses what it shows already (45081)."""
_KEPT = 5000
_log = structlog.get_logger(__name__)


class Typist:
    """Of one process."""

    def __init__(
        self, engine: Engine, api: Api, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._api = api
        self._clock = clock
        self._shown: OrderedDict[str, float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, conversation: str) -> None:
        """Show the citizen that somebody writes; at once, and not too often."""
        now_s = self._clock()
        if now_s - self._shown.get(conversation, -EVERY_S) < EVERY_S:
            return
        self._shown[conversation] = now_s
        self._shown.move_to_end(conversation)
        if len(self._shown) > _KEPT:
            self._shown.popitem(last=False)
        task = asyncio.create_task(self._show(conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show(self, conversation: str) -> None:
        try:
            openid = await asyncio.to_thread(ledger.openid_of, self._engine, conversation)
            if openid:
                await self._api.typing(openid, "Typing")
        except (WeChatError, SQLAlchemyError) as error:
            _log.info("wechat_typing_failed", code=getattr(error, "code", "store_down"))
