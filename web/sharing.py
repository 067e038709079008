"""The limits of one web process, joined with those of the others."""

from __future__ import annotations

from chat.limits import Limits
from chat.sharing import Sharing
from config.settings import Settings
from web.sharedredis import shared_redis
from web.wechat import Wechat


def shared_limits(settings: Settings, key: str, limits: Limits, account: Wechat | None) -> Sharing:
    """Share ``limits`` and those of the account's citizens; ``key`` is the installation's."""
    limiters = limits.shared()
    if account is not None:
        limiters["wechat"] = account.door.limiter
    return Sharing(limiters, shared_redis(settings), key)
