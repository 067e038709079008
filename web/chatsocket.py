"""The citizen's WebSocket, taken out of the way of middleware, routing and FastAPI's own layers.

Those keep a dozen frames and stacks for each socket for as long as it is open; thousands are.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from chat.socket import serve
from web.security import socket_failed

PATH = "/chat/ws"


class ChatFirst(FastAPI):
    """An app that serves :data:`PATH` before all its layers; all else goes through them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket, or pass the request on."""
        if scope["type"] != "websocket" or scope["path"] != PATH:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        try:
            await serve(WebSocket(scope, receive, send), self.state.site.door)
        except Exception as error:  # noqa: BLE001  # nothing a visitor sends may show a stack trace
            await socket_failed(error, send)
