"""One socket's frames, as they come and go; and what a citizen is told of what went wrong."""

from __future__ import annotations

import json
import math
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.errors import ConversationError
from chat import metrics, protocol
from chat.errors import ChatError
from chat.limits import wait_told
from config.prompts import Prompts
from store.faults import fault_of

_NOT_DELIVERED = "系统正在恢复，您的话还没有送到，稍后会自动再发一次。"
_NOT_UNDERSTOOD = "这条消息没有发成功，请刷新页面再试。"
_log = structlog.get_logger(__name__)


class Wire:
    """The socket of one chat, which its work is done on."""

    __slots__ = ("_prompts", "socket")

    def __init__(self, socket: WebSocket, prompts: Prompts) -> None:
        self.socket = socket
        self._prompts = prompts

    async def receive(self) -> str | bytes:
        """The next frame; raises ``WebSocketDisconnect``."""
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, frame: dict[str, Any]) -> None:
        """Send one."""
        await self.socket.send_text(json.dumps(frame, ensure_ascii=False))

    async def refuse(self, error: ChatError) -> None:
        """Tell the citizen in a polite sentence what was wrong; the socket stays."""
        metrics.refused.labels(error.code).inc()
        prompts = self._prompts
        wait_s = math.ceil(error.wait_s)
        slow = prompts.fill("too_fast", wait=wait_told(wait_s)) if wait_s else prompts.slow_down
        text = {"text_too_long": prompts.too_long, "too_fast": slow}.get(
            error.code, _NOT_UNDERSTOOD
        )
        await self.send(
            protocol.error(
                error.code, text, known=error.id, retry=error.code == "too_fast",
                retry_after_s=wait_s,
            )
        )  # fmt: skip

    async def failed(
        self, event: str, error: ConversationError | SQLAlchemyError, known: str = ""
    ) -> None:
        """Log what stands in the way; the browser sends the message again."""
        code = code_of(error)
        _log.error(event, code=code, fault=fault_of(error))
        await self.send(protocol.error(code, _NOT_DELIVERED, known=known, retry=True))


def code_of(error: ConversationError | SQLAlchemyError) -> str:
    """The stable code of what the core, or the database, could not do."""
    return error.code if isinstance(error, ConversationError) else "store_down"
