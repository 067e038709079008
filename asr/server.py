"""The recogniser process: `python -m asr.server`.

One WebSocket a caller (`asr.protocol`), ``GET /livez``, ``/readyz`` and ``/metrics`` on its port.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import structlog
import uvloop
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from asr import metrics
from asr.activity import SileroPool
from asr.connection import serve_client
from asr.protocol import MAX_MESSAGE_BYTES
from asr.recogniser import Recogniser, RecogniserError
from config.errors import ConfigError
from config.logs import configure
from config.metrics import exposition
from config.settings import Settings, load_settings

log = structlog.get_logger()


@dataclass(slots=True)
class Health:
    """Whether the recogniser can be used."""

    ready: bool = False


@asynccontextmanager
async def serving(
    recogniser: Recogniser, host: str, port: int
) -> AsyncIterator[tuple[Server, Health]]:
    """A listening server; set ``Health.ready`` once the recogniser has started.

    Port 0 picks a free one. Raises OSError when the port is taken.
    """
    health = Health()
    pool = SileroPool()

    async def handle(socket: ServerConnection) -> None:
        try:
            await serve_client(socket, recogniser, pool)
        except Exception:  # the last resort: this caller's stream ends, the others go on
            log.exception("asr_stream_crashed")
            await socket.close(1011)

    server = await serve(
        handle,
        host,
        port,
        process_request=partial(_answer_http, health),
        max_size=MAX_MESSAGE_BYTES,
        compression=None,
        close_timeout=0.3,
        server_header=None,
        logger=_quiet_logger(),
    )
    async with server:
        yield server, health


def _quiet_logger() -> logging.Logger:
    """For websockets, which logs a stack trace for every stranger that speaks no HTTP."""
    logger = logging.getLogger("asr.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger


def _answer_http(health: Health, socket: ServerConnection, request: Request) -> Response | None:
    """Health pages; a stream is refused until the recogniser is ready."""
    if request.path == "/livez":
        return socket.respond(HTTPStatus.OK, "ok\n")
    if request.path == "/metrics":
        return _metrics()
    if not health.ready:
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "the recogniser is loading\n")
    if request.path == "/readyz":
        return socket.respond(HTTPStatus.OK, "ok\n")
    return None


def _metrics() -> Response:
    body, content_type = exposition()
    headers = Headers({"Content-Type": content_type, "Content-Length": str(len(body))})
    headers["Connection"] = "close"
    return Response(HTTPStatus.OK, "OK", headers, body)


def make_recogniser(settings: Settings, executor: Executor) -> Recogniser:
    """The recogniser the settings name; raises `RecogniserError` for a missing model."""
    if settings.asr_url:
        from asr.vosk_remote import RemoteRecogniser

        return RemoteRecogniser(settings.asr_url)
    from asr.models.errors import ModelError
    from asr.models.shelf import chosen, shelf
    from asr.models.tried import Tried
    from asr.vosk_local import VoskRecogniser

    try:
        return VoskRecogniser(chosen(settings), executor, Tried(shelf(settings)))
    except ModelError as error:
        raise RecogniserError(error.code, str(error)) from None


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    executor = ThreadPoolExecutor(max_workers=os.cpu_count() or 2, thread_name_prefix="asr")
    try:
        recogniser = make_recogniser(settings, executor)
        async with serving(recogniser, settings.asr_host, settings.asr_port) as served:
            return await _until_stopped(recogniser, served[1], stop)
    except RecogniserError as error:
        return _give_up(error.code, str(error))
    except OSError as error:
        where = f"{settings.asr_host}:{settings.asr_port}"
        return _give_up("port_in_use", f"cannot listen on {where}: {error.strerror}")
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


async def _until_stopped(recogniser: Recogniser, health: Health, stop: asyncio.Event) -> int:
    starting = asyncio.create_task(recogniser.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        health.ready = True
        metrics.ready.set(1)
        log.info("asr_ready")
        await stopping
    starting.cancel()
    return 0


def _give_up(code: str, message: str) -> int:
    print(f"asr: {code}: {message}", file=sys.stderr)  # noqa: T201  # the operator's one message
    return 1


def main() -> None:
    """Entry of the process. Ends at once: no thread inside a large model delays a stop."""
    try:
        settings = load_settings()
        configure("asr", settings.log_level)
        code = uvloop.run(run(settings))
    except ConfigError as error:
        code = _give_up(error.code, str(error))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
