"""The headers every answer carries, and the last resort when a request breaks. Pure ASGI."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import answer_problem

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_log = structlog.get_logger(__name__)
CITIZENS_PAGE = "/"
EMBED_SCRIPT = "/chat/embed.js"


def is_host(name: str) -> bool:
    """Whether ``name`` is a host as it stands in a URL, with its port or without, and no more."""
    return _HOST.fullmatch(name) is not None


def content_policy(host: str, *, citizens: bool = False, embedders: tuple[str, ...] = ()) -> str:
    """The Content-Security-Policy. Older WebViews do not count WebSockets as 'self': name them.

    ``citizens``: the page on which a photo or a voice note is looked at before it is sent; the
    sites of ``embedders`` may show it in a frame.
    """
    sockets = f" ws://{host} wss://{host}" if is_host(host) else ""
    blob = " blob:" if citizens else ""
    ancestors = " ".join(embedders) if citizens and embedders else "'none'"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{blob}; "
        f"font-src 'self'; media-src 'self'{blob}; connect-src 'self'{sockets}; "
        f"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )


def safe_headers(path: str, host: str, embedders: tuple[str, ...]) -> dict[str, str]:
    """What the answer for ``path`` carries: only the citizen's page may be embedded, hear and know
    where it is; only the script that embeds it may be loaded by another site.
    """
    citizens = path == CITIZENS_PAGE
    own = "(self)" if citizens else "()"
    return {
        "Content-Security-Policy": content_policy(host, citizens=citizens, embedders=embedders),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": f"camera=(), geolocation={own}, microphone={own}",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin" if path == EMBED_SCRIPT else "same-origin",
    }


class SafeHeaders:
    """Adds the security headers; pages and answers are never kept by caches unless they say so."""

    def __init__(
        self, app: ASGIApp, *, https: bool = False, embedders: tuple[str, ...] = ()
    ) -> None:
        self._app, self._https, self._embedders = app, https, embedders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        safe = safe_headers(scope["path"], host, self._embedders)
        https = self._https or scope["scheme"] == "https"

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(safe)
                if https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if "\x00" in scope["path"]:  # names nothing, and PostgreSQL refuses to look it up
            await answer_problem(scope, 404, "not_found")(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)


class LastResort:
    """Any exception becomes a plain answer; the log names the place, never the values."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception as error:  # noqa: BLE001  # nothing a visitor sends may show a stack trace
            if scope["type"] == "websocket":
                await socket_failed(error, send)
                return
            _told(error)
            if scope["type"] == "http" and not started:
                response = answer_problem(scope, 500, "internal")
                await response(scope, receive, send)


def _told(error: Exception) -> None:
    _log.error("request_failed", code="internal", error=type(error).__name__, place=_place(error))


async def socket_failed(error: Exception, send: Send) -> None:
    """Log what broke a WebSocket, by its place, and close the socket where it is open still."""
    _told(error)
    try:
        await send({"type": "websocket.close", "code": 1011})
    except RuntimeError:
        return  # closed already


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
