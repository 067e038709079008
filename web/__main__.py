"""The web process: ``python -m web``, over a database that ``qianmen up`` has prepared."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from bot.bus import Bus
from bot.conversation import Conversations
from bot.join import join
from chat.protocol import MAX_FRAME_BYTES
from config.city import load_city
from config.errors import ConfigError
from config.logs import configure
from config.settings import Settings, load_settings
from store.engine import StoreError, open_store
from web.app import Lifespan, create_app

# Beyond this the server library cuts the socket; up to it the chat answers with an error frame.
HARD_FRAME_BYTES = 4 * MAX_FRAME_BYTES
STOP_S = 2
_log = structlog.get_logger(__name__)


def make_app(settings: Settings) -> FastAPI:
    """The app on its real parts; raises ``ConfigError``, ``StoreError``."""
    city = load_city(settings.city)
    engine = open_store(settings)
    conversations, bus = join(settings, city, engine)
    return create_app(
        settings, city, engine, conversations, lifespan=_with_core(conversations, bus)
    )


def _with_core(conversations: Conversations, bus: Bus) -> Lifespan:
    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        bus.start()
        try:
            yield
            # What is still unanswered then is answered when its citizen comes back.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(conversations.settled(), STOP_S)
        finally:
            await bus.stop()

    return run


def server(app: FastAPI) -> uvicorn.Server:
    """The HTTP server: no access log (addresses name orders), WebSockets kept alive by pings."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            access_log=False,
            log_config=None,
            server_header=False,
            ws_max_size=HARD_FRAME_BYTES,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            timeout_graceful_shutdown=STOP_S,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """The port, taken; raises :class:`ConfigError` ``port_in_use``. Port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise ConfigError(
            "port_in_use", f"QIANMEN_WEB_PORT: {host}:{port} cannot be used: {error.strerror}"
        ) from None
    return taken


def main() -> int:
    """Run the process; 1 with one clear line where it cannot."""
    try:
        settings = load_settings()
        configure("web", settings.log_level)
        app = make_app(settings)
        taken = listen(settings.web_host, settings.web_port)
    except (ConfigError, StoreError, ValueError) as error:
        _log.error("web_cannot_start", code=getattr(error, "code", "config_invalid"),
                   reason=str(error))  # fmt: skip
        return 1
    with taken:
        server(app).run(sockets=[taken])
    return 0


if __name__ == "__main__":
    sys.exit(main())
