"""Send one signed message by HTTP: to the checked address, no redirects, bounded in time and size.

Proxies of the environment are not used: they would resolve the name again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

import certifi
import httpx

from config.links import Links
from handoff.links import guard, signing
from handoff.links.guard import GuardError, Resolve
from handoff.links.outcome import Failed, HttpReply

AGENT = "Qianmen"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted: ``id`` the same in every try; ``keys`` sign it, the current one first."""

    id: str
    url: str
    body: bytes
    keys: Sequence[bytes]
    allow_private: bool = False


def trusted() -> ssl.SSLContext:
    """Whom we trust: the machine's authorities (a city's own stand there), and the public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Post:
    """Posts letters within the city's limits; to be entered, and left when no more is sent."""

    def __init__(self, links: Links, *, resolve: Resolve = guard.resolve) -> None:
        self._links = links
        self._resolve = resolve
        # Each letter's connection is its own: a kept one would outlive the look at its address.
        self._client = httpx.AsyncClient(
            verify=trusted(),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(links.total_s, connect=links.connect_s),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Post:
        """Open; nothing is connected yet."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        await self._client.__aexit__(kind, error, trace)

    async def send(self, letter: Letter, now: datetime) -> HttpReply | Failed:
        """Post once; whatever goes wrong is a :class:`Failed` with a stable code.

        ``key_missing``, those of :class:`GuardError`, ``timeout``, ``connect_failed``,
        ``connection_lost``, ``reply_too_large``.
        """
        if not letter.keys:
            return Failed("key_missing")
        try:
            async with asyncio.timeout(self._links.total_s):
                return await self._exchange(letter, now)
        except GuardError as error:
            return Failed(error.code)
        except (TimeoutError, httpx.TimeoutException):
            return Failed("timeout")
        except httpx.ConnectError:
            return Failed("connect_failed")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return Failed("connection_lost")

    async def _exchange(self, letter: Letter, now: datetime) -> HttpReply | Failed:
        place = await guard.place(
            letter.url, allow_private=letter.allow_private, resolve=self._resolve
        )
        headers = {
            **signing.signed(letter.keys, letter.id, now, letter.body),
            "Host": place.host,
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "Accept-Encoding": "identity",  # nothing that swells when it is unpacked
        }
        name = httpx.URL(letter.url).host
        extensions: dict[str, Any] = {"sni_hostname": name}  # the certificate is the name's
        async with self._client.stream(
            "POST", place.url, content=letter.body, headers=headers, extensions=extensions
        ) as reply:
            body = await self._read(reply)
        if body is None:
            return Failed("reply_too_large", reply.status_code)
        kept: Mapping[str, str] = reply.headers
        return HttpReply(reply.status_code, kept, body)

    async def _read(self, reply: httpx.Response) -> bytes | None:
        """The raw body, None where it is beyond the limit: it is not read to its end then."""
        body = bytearray()
        async for piece in reply.aiter_raw():
            body += piece
            if len(body) > self._links.largest_reply:
                return None
        return bytes(body)
