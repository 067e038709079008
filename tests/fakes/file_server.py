"""A web server that serves one file as well, or as badly, as a test wants."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/models/some-model.zip"


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Clients that had enough are none."""


@dataclass(slots=True)
class FileServer:
    """Serves ``content`` at ``PATH`` of ``url``.

    ``ranges``: whether it continues where asked. ``break_after``: bytes after which a connection
    is cut, for the first ``breaks`` answers. ``declared``: a Content-Length that is a lie.
    ``status`` answers with that alone. ``etag`` '' sends none. ``sized`` False tells no length.
    ``redirects``: how many redirects lead to the file. ``stall`` waits for ever after half.
    """

    content: bytes
    ranges: bool = True
    etag: str = '"one"'
    status: int = 200
    break_after: int | None = None
    breaks: int = 1
    declared: int | None = None
    sized: bool = True
    redirects: int = 0
    stall: bool = False
    wrong_range: bool = False
    url: str = ""
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def serving(self) -> Iterator[FileServer]:
        server = _Quiet(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        serves = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                serves.asked.append(
                    (self.path, self.headers.get("Range"), self.headers.get("If-Range"))
                )
                serves._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
                """Silent."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        hop = re.fullmatch(r"/hop/(\d+)", request.path)
        left = int(hop[1]) if hop else self.redirects
        if left and (hop or request.path == PATH):
            self._head(request, 302, {"Location": f"/hop/{left - 1}", "Content-Length": "0"})
        elif not hop and request.path != PATH:
            self._head(request, 404, {"Content-Length": "0"})
        elif self.status != 200:
            self._head(request, self.status, {"Content-Length": "0"})
        else:
            self._serve(request)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        start = self._start(request)
        size = len(self.content)
        if start is not None and start >= size:
            about = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            self._head(request, 416, about)
            return
        body = self.content[start or 0 :]
        headers = {"ETag": self.etag} if self.etag else {}
        if self.sized:
            headers["Content-Length"] = str(self.declared or len(body))
        else:
            headers["Connection"] = "close"
        if start is not None:
            told = start + 1 if self.wrong_range else start
            headers["Content-Range"] = f"bytes {told}-{size - 1}/{size}"
        self._head(request, 200 if start is None else 206, headers)
        self._body(request, body)

    def _start(self, request: BaseHTTPRequestHandler) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        unchanged = request.headers.get("If-Range") in (None, self.etag)
        return int(found[1]) if found and self.ranges and unchanged else None

    def _body(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        cut = self.break_after is not None and self.breaks > 0
        if cut:
            self.breaks -= 1
            body = body[: self.break_after]
        try:
            if self.stall:
                request.wfile.write(body[: len(body) // 2])
                self.released.wait()
                return
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client had enough
        if cut or not self.sized or self.declared:
            request.close_connection = True

    @staticmethod
    def _head(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
