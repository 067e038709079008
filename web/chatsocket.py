"""The citizen's WebSocket, taken out of the way of routing and of FastAPI's own layers.

Those keep a dozen frames and stacks for each socket for as long as it is open; thousands are.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from chat.socket import serve

PATH = "/chat/ws"


class ChatSocket:
    """Serves :data:`PATH`; all else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket, or pass the request on."""
        if scope["type"] == "websocket" and scope["path"] == PATH:
            await serve(WebSocket(scope, receive, send), scope["app"].state.site.door)
        else:
            await self._app(scope, receive, send)
