"""What runs beside one browser's socket: where the citizen stands, whether their person writes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from starlette.websockets import WebSocketDisconnect

from bot.people import Writes
from bot.waiting import standing_told
from chat import protocol
from chat.core import Conversations
from config.prompts import Prompts
from turns.standing import Standing

_NOWHERE = protocol.standing(None, "")
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def accompany(core: Conversations, conversation: str, prompts: Prompts, send: Send) -> None:
    """Tell the browser of its place in the queue and of its person, until this is cancelled or the
    socket is gone: a frame whenever something changed that the citizen can see.
    """
    told, company = _NOWHERE, core.company(conversation)
    try:
        async for news in company:
            if isinstance(news, Writes):
                await send(protocol.typing(on=news.on))
                continue
            frame = _frame(prompts, news)
            if frame != told:
                told = frame
                await send(frame)
    except (WebSocketDisconnect, RuntimeError):
        return  # the socket is gone
    finally:
        if isinstance(company, AsyncGenerator):
            with contextlib.suppress(RuntimeError):
                await company.aclose()


def _frame(prompts: Prompts, standing: Standing | None) -> dict[str, Any]:
    text = standing_told(prompts, standing, voice=False) if standing and standing.waits else ""
    frame = protocol.standing(standing, text)
    if frame.get("estimate_s") is not None:  # it wanders by seconds, which nobody wants to see
        frame["estimate_s"] = -(-frame["estimate_s"] // 60) * 60
    return frame
