"""The keeper's page: ``/livez``, ``/readyz`` and ``/metrics``.

By the standard library's server: the keeper is threads, and should stay small.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry

from config.metrics import exposition

_ASK_S = 5


@contextmanager
def serving(
    host: str, port: int, registry: CollectorRegistry, ready: Callable[[], bool]
) -> Iterator[tuple[str, int]]:
    """Serve while inside; yields the address (port 0 picks a free one). Raises OSError."""

    class Handler(_Handler):
        """Bound to this keeper."""

        def answer(self) -> tuple[int, str, bytes]:
            if self.path == "/livez":
                return 200, "text/plain", b"ok\n"
            if self.path == "/readyz":
                return (200, "text/plain", b"ok\n") if ready() else (503, "text/plain", b"no\n")
            if self.path == "/metrics":
                body, kind = exposition(registry)
                return 200, kind, body
            return 404, "text/plain", b"not found\n"

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield str(server.server_address[0]), server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = _ASK_S

    def answer(self) -> tuple[int, str, bytes]:
        """Status, content type and body of a GET."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer."""
        status, kind, body = self.answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as above
        """Nothing: a line a scrape helps nobody."""
