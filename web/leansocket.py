"""uvicorn's WebSocket, with less kept for each one: thousands are open and say nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Attributes of uvicorn's own class: in slots they take a third of what a dictionary of so many
# takes. What a later uvicorn adds goes to the dictionary.
_OWN = (
    "config", "app", "loop", "logger", "root_path", "asgi_version", "app_state", "connections",
    "tasks", "default_headers", "transport", "server", "client", "scheme", "queue",
    "handshake_initiated", "handshake_complete", "close_sent", "disconnected", "close_timer",
    "close_timeout", "initial_response", "conn", "read_paused", "writable", "ping_interval",
    "ping_timeout", "ping_timer", "pong_timer", "pending_ping_payload", "ping_sent_at",
    "last_ping_rtt", "frames", "curr_msg_data_type", "request", "response", "scope",
)  # fmt: skip

_LATE_S = 1.0


class Inbox:
    """What came and waits to be taken, for one taker. As ``asyncio.Queue``, which is 2 kB empty."""

    __slots__ = ("_kept", "_taker")

    def __init__(self) -> None:
        self._kept: deque[Any] | None = None
        self._taker: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        """Keep one."""
        if self._kept is None:
            self._kept = deque()
        self._kept.append(message)
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    async def get(self) -> Any:
        """The oldest; waits until there is one."""
        while self._kept is None:
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        message = self._kept.popleft()
        if not self._kept:
            self._kept = None
        return message

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._kept is None


class Gate:
    """Open, or shut and waited for. As ``asyncio.Event``, which is 1 kB."""

    __slots__ = ("_opens",)

    def __init__(self) -> None:
        self._opens: asyncio.Event | None = None

    def clear(self) -> None:
        """Shut it."""
        if self._opens is None:
            self._opens = asyncio.Event()

    def set(self) -> None:
        """Open it."""
        if self._opens is not None:
            self._opens.set()
            self._opens = None

    async def wait(self) -> None:
        """Return when it is open."""
        while self._opens is not None:
            await self._opens.wait()


class LeanSocket(WebSocketsSansIOProtocol):
    """The same on the wire; but who is heard of is not pinged, and not given up."""

    __slots__ = (*_OWN, "_heard_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue: Any = Inbox()
        self.writable: Any = Gate()
        self._heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Anything that comes is a sign of life."""
        self._heard_at = self.loop.time()
        super().data_received(data)

    def send_keepalive_ping(self) -> None:
        """Ask whether somebody is there, unless they were heard of: our pages ask us themselves."""
        quiet_s, most_s = self.loop.time() - self._heard_at, self.ping_interval or 0.0
        if quiet_s < most_s:
            self.ping_timer = self.loop.call_later(most_s - quiet_s, self.send_keepalive_ping)
        else:
            super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """Give them up, unless they were heard of since; or what they said may wait unread, where
        it is us who came too late.
        """
        late_s = self.loop.time() - self.ping_sent_at - (self.ping_timeout or 0.0)
        if self._heard_at >= self.ping_sent_at:
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
        elif late_s > _LATE_S:
            self.ping_sent_at += late_s
            self.pong_timer = self.loop.call_later(_LATE_S / 2, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def start_keepalive(self) -> None:
        """The handshake is over: what was said in it is not needed any more."""
        super().start_keepalive()
        self.request.headers.clear()  # the parser holds on to both
        self.response.headers.clear()
        del self.request, self.response
