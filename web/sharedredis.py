"""Redis as what the web processes share beside the bus is asked of it."""

from __future__ import annotations

import redis.asyncio as redis

from config.settings import Settings

_REDIS_S = 1.0


def shared_redis(settings: Settings) -> redis.Redis:
    """A client that waits for a second at most: who shares goes on alone while Redis is away."""
    client: redis.Redis = redis.from_url(
        settings.redis, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S
    )
    return client
