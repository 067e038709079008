"""The limits of one web process, joined with those of the others."""

from __future__ import annotations

import redis.asyncio as redis

from chat.limits import Limits
from chat.sharing import Sharing
from config.settings import Settings
from web.wechat import Wechat

_REDIS_S = 1.0


def shared_limits(settings: Settings, key: str, limits: Limits, account: Wechat | None) -> Sharing:
    """Share ``limits`` and those of the account's citizens; ``key`` is the installation's."""
    client: redis.Redis = redis.from_url(
        settings.redis, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S
    )
    limiters = limits.shared()
    if account is not None:
        limiters["wechat"] = account.door.limiter
    return Sharing(limiters, client, key)
