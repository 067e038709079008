"""What runs beside one browser's socket: where the citizen stands, whether their person writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect

from bot.errors import ConversationError
from bot.waiting import standing_told
from chat import protocol
from chat.core import Conversations
from config.prompts import Prompts
from turns.standing import Standing

_AGAIN_S = 5.0
_log = structlog.get_logger(__name__)
T = TypeVar("T")
Send = Callable[[dict[str, Any]], Awaitable[None]]


@contextlib.asynccontextmanager
async def beside(
    core: Conversations, conversation: str, prompts: Prompts, send: Send
) -> AsyncIterator[None]:
    """Tell the browser of its place in the queue and of its person while inside."""
    works = (
        _stand(core, conversation, prompts, send), _type(core, conversation, send),
        core.stay(conversation),
    )  # fmt: skip
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stand(core: Conversations, conversation: str, prompts: Prompts, send: Send) -> None:
    """A frame whenever something changed that the citizen can see."""
    told: dict[str, Any] = protocol.standing(None, "")
    while True:
        try:
            async with _closing(core.standings(conversation)) as standings:
                async for standing in standings:
                    frame = _frame(prompts, standing)
                    if frame != told:
                        told = frame
                        await send(frame)
        except (WebSocketDisconnect, RuntimeError):
            return  # the socket is gone
        except (ConversationError, SQLAlchemyError) as error:
            _log.warning("standing_unknown", code=getattr(error, "code", "store_down"))
            await asyncio.sleep(_AGAIN_S)


def _frame(prompts: Prompts, standing: Standing | None) -> dict[str, Any]:
    text = standing_told(prompts, standing, voice=False) if standing and standing.waits else ""
    frame = protocol.standing(standing, text)
    if frame.get("estimate_s") is not None:  # it wanders by seconds, which nobody wants to see
        frame["estimate_s"] = -(-frame["estimate_s"] // 60) * 60
    return frame


async def _type(core: Conversations, conversation: str, send: Send) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        async with _closing(core.typed(conversation, "agent")) as typed:
            async for on in typed:
                await send(protocol.typing(on=on))


@contextlib.asynccontextmanager
async def _closing(news: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    try:
        yield news
    finally:
        if isinstance(news, AsyncGenerator):
            await news.aclose()
