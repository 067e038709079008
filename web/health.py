"""Whether the parts behind the pages are ready: each probe asks one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import redis.asyncio as redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from store.engine import reading

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Probe:
    """``ask`` returns if the part is ready and raises otherwise."""

    part: str
    ask: Callable[[], Awaitable[None]]


async def check(probes: tuple[Probe, ...], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Ask all at once; each part is ``ok``, ``down`` or ``slow``."""
    states = await asyncio.gather(*(_state(probe, timeout_s) for probe in probes))
    return {probe.part: state for probe, state in zip(probes, states, strict=True)}


async def _state(probe: Probe, timeout_s: float) -> str:
    try:
        await asyncio.wait_for(probe.ask(), timeout_s)
    except TimeoutError:
        return "slow"
    except (OSError, httpx.HTTPError, RedisError, SQLAlchemyError):
        return "down"
    return "ok"


def probes(settings: Settings, engine: Engine) -> tuple[Probe, ...]:
    """The probes of this installation."""
    return (
        Probe("database", lambda: _ask_database(engine)),
        Probe("redis", lambda: _ask_redis(settings.redis)),
        Probe("rasa", lambda: _ask_http(f"{settings.rasa_address}/status")),
        Probe("actions", lambda: _ask_http(f"{settings.actions_address}/readyz")),
        Probe("asr", lambda: _ask_http(_http(settings.asr_address) + "/readyz")),
    )


async def _ask_database(engine: Engine) -> None:
    def ask() -> None:
        with reading(engine) as session:
            session.execute(text("SELECT 1"))

    await asyncio.to_thread(ask)


async def _ask_redis(url: str) -> None:
    client = redis.from_url(url, socket_connect_timeout=TIMEOUT_S)
    try:
        await client.ping()
    finally:
        await client.aclose()


def _http(websocket_url: str) -> str:
    """The same server's pages: ws: becomes http:, wss: https:."""
    return "http" + websocket_url.removeprefix("ws")


async def _ask_http(url: str) -> None:
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
        (await client.get(url)).raise_for_status()
