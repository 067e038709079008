"""JSON over HTTP to a process of ours: connections are kept, and every failure is one of two.

aiohttp's client costs a tenth of the processor time of httpx's: every turn goes through here, and a
process that serves many citizens has little else to do.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

import aiohttp

KEPT_S = 4.0
"""How long an idle connection is kept: less than any server keeps it, so that none is used that is
just being closed."""
_OK = 200


class UnansweredError(Exception):
    """No answer; ``slow``: none in time, else no connection, or it broke."""

    def __init__(self, *, slow: bool) -> None:
        super().__init__("no answer in time" if slow else "no connection")
        self.slow = slow


class Exchange(Protocol):
    """One request and its answer; :class:`JsonHttp` makes real ones."""

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and content; raises :class:`UnansweredError`."""

    async def close(self) -> None:
        """Let the connections go."""


class JsonHttp:
    """One server. It belongs to the loop of its first request; close it there."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        """``timeout_s`` bounds a whole request."""
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and content; raises :class:`UnansweredError`. ``path`` is quoted already."""
        try:
            async with self._open().request(
                method, self._base + path, json=body, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except TimeoutError:
            raise UnansweredError(slow=True) from None
        except (aiohttp.ClientError, OSError):
            raise UnansweredError(slow=False) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            )
        return self._session

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()


def content_of(answer: tuple[int, bytes]) -> Any:
    """The JSON of an answer with status 200; raises ``ValueError`` for any other."""
    status, content = answer
    if status != _OK:
        raise ValueError(f"HTTP {status}")
    return json.loads(content)
