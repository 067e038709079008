"""A port taken at the start, and the small HTTP side of a process whose work is another."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import REGISTRY, CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.errors import ConfigError
from config.metrics import exposition


def listen(host: str, port: int, setting: str) -> socket.socket:
    """The TCP port, taken; port 0 picks a free one.

    Raises :class:`ConfigError` ``port_in_use`` that names ``setting``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise ConfigError(
            "port_in_use", f"{setting}: {host}:{port} cannot be used: {error.strerror}"
        ) from None
    return taken


def metrics_route(registry: CollectorRegistry = REGISTRY) -> Route:
    """``GET /metrics``: what this process measures. Collectors run in a thread."""

    def metrics(_request: Request) -> Response:
        body, content_type = exposition(registry)
        return Response(body, headers={"content-type": content_type})

    return Route("/metrics", metrics)


class SideServer(uvicorn.Server):
    """An HTTP server that leaves the signals to the process: set ``should_exit`` to stop it."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        config = uvicorn.Config(
            Starlette(routes=routes), log_config=None, access_log=False, lifespan="off",
            server_header=False,
        )  # fmt: skip
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: uvicorn would raise them again before the process's work has ended."""
        yield


@asynccontextmanager
async def serving_metrics(taken: socket.socket) -> AsyncIterator[None]:
    """Serve ``/metrics`` and nothing else on ``taken`` while inside."""
    server = SideServer([metrics_route()])
    task = asyncio.create_task(server.serve(sockets=[taken]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def allow_many_files() -> None:
    """Raise this process's limit of open files to the most that the system allows it: every socket
    is one, and the usual limit is 1,024.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != most:
        with contextlib.suppress(OSError, ValueError):  # macOS names a most that it refuses
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
