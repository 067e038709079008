"""HTTP exchanges without a server: canned ones, and those with an app in this process."""

from __future__ import annotations

from typing import Any

import httpx


class Canned:
    """Gives every request the same answer, and keeps what was asked."""

    def __init__(self, status: int, content: bytes) -> None:
        self.answer = (status, content)
        self.asked: list[tuple[str, str, Any]] = []

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        self.asked.append((method, path, body))
        return self.answer

    async def close(self) -> None:
        self.asked.clear()


class Through:
    """An exchange by httpx's client, for what is served in this process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        answer = await self._http.request(method, path, json=body)
        return answer.status_code, answer.content

    async def close(self) -> None:
        """The client is the test's."""
