"""The web process: ``python -m web``, over a database that ``qianmen up`` has prepared."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from sqlalchemy import Engine

from bot import history
from bot.bus import Bus
from bot.conversation import Conversations
from bot.join import join, read_city, warm
from chat.frame import MAX_FRAME_BYTES
from chat.socket import AWAY_S
from config.city import City
from config.errors import ConfigError
from config.listening import allow_many_files, listen, serving_metrics
from config.logs import configure
from config.settings import Settings, load_settings
from handoff.classify import rules_of
from store.engine import StoreError, open_store
from store.seal import SealError
from telephony.commands import CallControl
from web.agents.floor import Floor
from web.agents.parts import Joints
from web.agents.suggesting import ActionsLookup
from web.app import Lifespan, create_app
from web.leansocket import LeanSocket
from web.metrics import Measured

# Beyond this the server library cuts the socket; up to it the chat answers with an error frame.
HARD_FRAME_BYTES = 4 * MAX_FRAME_BYTES
STOP_S = 2
_log = structlog.get_logger(__name__)


def make_app(settings: Settings) -> FastAPI:
    """The app on its real parts; raises ``ConfigError``, ``StoreError``."""
    city = read_city(settings.city)
    engine = open_store(settings)
    conversations, bus = join(settings, city, engine)
    control, lookup = CallControl(settings.redis), ActionsLookup(settings.actions_address)
    learned = settings.data_dir / "learned"
    app = create_app(
        settings, city, engine, conversations,
        joints=Joints(bus, control, lookup, rules_of(city, learned)),
        lifespan=_with_core(conversations, bus, engine, (control, lookup, _warmed(city, learned))),
    )  # fmt: skip
    app.add_middleware(Measured)
    return app


@asynccontextmanager
async def _warmed(city: City, learned: Path) -> AsyncIterator[None]:
    """Nobody is the first who waits for what is loaded once."""
    await asyncio.to_thread(warm, city, learned)
    yield


def _with_core(
    conversations: Conversations, bus: Bus, engine: Engine,
    held: tuple[AbstractAsyncContextManager[object], ...],
) -> Lifespan:  # fmt: skip
    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        floor: Floor = app.state.site.floor
        bus.start()
        bus.look_after(partial(history.newest, engine))
        try:
            async with AsyncExitStack() as stack:
                for one in held:
                    await stack.enter_async_context(one)
                floor.start()
                stack.push_async_callback(floor.stop)
                await conversations.call_the_roll(AWAY_S)
                stack.push_async_callback(_ended, asyncio.create_task(conversations.tend()))
                yield
            # What is still unanswered then is answered when its citizen comes back.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(conversations.settled(), STOP_S)
        finally:
            await conversations.stop()
            await bus.stop()
            engine.dispose()

    return run


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Server(uvicorn.Server):
    """Tells the app that it stops: streams without an end of their own would hold it up."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop; what is under way may end in order."""
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.stopping = True
        super().handle_exit(sig, frame)


def server(app: FastAPI, proxies: tuple[str, ...] = ()) -> uvicorn.Server:
    """The HTTP server: no access log (addresses name orders), WebSockets kept alive by pings.

    Only ``proxies`` (addresses or networks) are believed when they say who the visitor is and that
    they came by https.
    """
    return _Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            # Without tasks of its own for each socket, and without a compressor for each (its
            # window alone takes more memory than all the rest): thousands are idle.
            ws=LeanSocket,
            ws_per_message_deflate=False,
            ws_max_size=HARD_FRAME_BYTES,
            # Our pages say something every 20 s and need none; who does not is heard of before a
            # proxy cuts what was silent for a minute.
            ws_ping_interval=45,
            ws_ping_timeout=20,
            timeout_graceful_shutdown=STOP_S,
        )
    )


async def serve(
    app: FastAPI, taken: socket.socket, metrics: socket.socket, proxies: tuple[str, ...] = ()
) -> None:
    """Serve ``app`` until a signal, and beside it, on a port of their own, the measurements."""
    async with serving_metrics(metrics):
        await server(app, proxies).serve(sockets=[taken])


def main() -> int:
    """Run the process; 1 with one clear line where it cannot."""
    try:
        settings = load_settings()
        configure("web", settings.log_level)
        allow_many_files()
        app = make_app(settings)
        taken = listen(settings.web_host, settings.web_port, "QIANMEN_WEB_PORT")
        metrics = listen(
            settings.metrics_host, settings.web_metrics_port, "QIANMEN_WEB_METRICS_PORT"
        )
    except (ConfigError, StoreError, SealError, ValueError) as error:
        _log.error("web_cannot_start", code=getattr(error, "code", "config_invalid"),
                   reason=str(error))  # fmt: skip
        return 1
    with taken, metrics, contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(app, taken, metrics, settings.web_proxies))
    return 0


if __name__ == "__main__":
    sys.exit(main())
