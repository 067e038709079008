"""The connection to the actions is kept.

Rasa opens a session and a connection for each call, and closes them. Here they stay open for as
long as is safe: uvicorn closes a connection that said nothing for five seconds, and a call that
meets the closing would fail, so ours is left after two.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from rasa.utils.endpoints import DEFAULT_REQUEST_TIMEOUT, EndpointConfig

_IDLE_S = 2.0
_OURS = "_qianmen_session"


class _Kept:
    """A session that ``async with`` gives and does not close."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __aenter__(self) -> aiohttp.ClientSession:
        return self._session

    async def __aexit__(self, *_: object) -> None:
        """It stays open."""


def install() -> None:
    """Take the place of each endpoint's own session."""
    EndpointConfig.session = session


def session(self: EndpointConfig) -> Any:
    """The endpoint's one session in this loop, made as Rasa makes it."""
    loop = asyncio.get_running_loop()
    kept: aiohttp.ClientSession | None = getattr(self, _OURS, None)
    if kept is None or kept.closed or kept._loop is not loop:
        kept = _opened(self)
        setattr(self, _OURS, kept)
    return _Kept(kept)


def _opened(endpoint: EndpointConfig) -> aiohttp.ClientSession:
    basic = endpoint.basic_auth
    return aiohttp.ClientSession(
        # As many at once as there are calls, and each new connection asks for the address anew:
        # so it was with a session for each.
        connector=aiohttp.TCPConnector(limit=0, use_dns_cache=False, keepalive_timeout=_IDLE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=endpoint.headers,
        auth=aiohttp.BasicAuth(basic["username"], basic["password"]) if basic else None,
        timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
    )
