"""What the web process measures: its requests, by the template of their route, never by address."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.metrics import LATENCY_S, OTHER

requests = Histogram(
    "qianmen_web_request_seconds",
    "From a request's head to the end of its answer; WebSockets are counted by the chat.",
    ("route", "method", "status"),
    buckets=LATENCY_S,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """Measures every HTTP request of ``app``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and observe it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            requests.labels(_template(scope), method, str(status)).observe(perf_counter() - began)


def _template(scope: Scope) -> str:
    """The route's path as written; ``static`` for files, ``other`` for what nobody serves."""
    path = getattr(scope.get("route"), "path_format", None)
    if isinstance(path, str):
        return path
    return "static" if scope["path"].startswith("/static/") else OTHER
