"""Is a process ready? Asked over the wire, as a stranger would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import redis.asyncio as redis
from redis.exceptions import RedisError

from qianmen.processes import Process

_ASK_S = 2.0
_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Ready:
    """One process and whether it is ready."""

    process: Process
    ready: bool


async def is_ready(process: Process) -> bool:
    """Whether ``process`` answers as ready now."""
    if urlsplit(process.ready).scheme.startswith("redis"):
        return await _redis_ready(process.ready)
    try:
        async with httpx.AsyncClient(timeout=_ASK_S, trust_env=False) as client:
            return (await client.get(process.ready)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def _redis_ready(url: str) -> bool:
    client = redis.from_url(url, socket_connect_timeout=_ASK_S, socket_timeout=_ASK_S)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def check(processes: Iterable[Process]) -> tuple[Ready, ...]:
    """Ask all at once."""
    wanted = tuple(processes)
    answers = await asyncio.gather(*(is_ready(process) for process in wanted))
    return tuple(Ready(*pair) for pair in zip(wanted, answers, strict=True))


async def until_ready(process: Process) -> None:
    """Return once ``process`` is ready; the caller sets the time-out."""
    while not await is_ready(process):  # noqa: ASYNC110  # another process gives no event
        await asyncio.sleep(_AGAIN_S)
