"""The platform's API on a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from qianmen.wechatsim.codes import Refusal
from qianmen.wechatsim.platform import Platform, Reply

LARGEST = 1024 * 1024
_PATIENCE_S = 30


@contextmanager
def serving(platform: Platform, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve while inside; yields the base URL, which becomes the platform's. Raises OSError."""

    class Handler(_Handler):
        served = platform

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="wechat platform",
        daemon=True,
    )  # fmt: skip
    thread.start()
    platform.address = f"http://{host}:{server.server_address[1]}"
    try:
        yield platform.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Platform
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        """One call without a body."""
        self._take(b"")

    def do_POST(self) -> None:
        """One call with a body."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self.send_error(413)
            return
        self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        faults = self.served.faults
        if faults.down:
            self.close_connection = True
            return
        if faults.stall_s:
            time.sleep(faults.stall_s)
        if faults.breaks():
            self.close_connection = True
            self.send_error(502)
            return
        parts = urlsplit(self.path)
        if parts.path.startswith("/video/"):
            self._video(parts.path.removeprefix("/video/"))
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._give(self.served.answer(self.command, parts.path, query, body))

    def _video(self, known: str) -> None:
        try:
            medium = self.served.media.fetch(known, self.served.clock())
        except Refusal:
            self.send_error(404)
            return
        self._give(Reply(medium.data, medium.type))

    def _give(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", reply.type)
        if reply.filename:
            self.send_header("Content-disposition", f'attachment; filename="{reply.filename}"')
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Nothing: what came is told by the platform."""
