"""The Official Account of this installation: its door, and who pushes, in one web process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import redis.asyncio as redis
import structlog
from sqlalchemy import Engine

from bot.bus import Bus
from chat.files import Files
from chat.wechat import token
from chat.wechat.api import Api, http_client
from chat.wechat.citizens import PREFIX
from chat.wechat.door import Times, WechatDoor
from chat.wechat.fetching import Fetcher
from chat.wechat.incoming_errors import IncomingError
from chat.wechat.opening import account_of
from chat.wechat.pace import Pace
from chat.wechat.pushing import Pusher
from chat.wechat.quota import Rules
from chat.wechat.standing import Core
from chat.wechat.telling import Teller
from chat.wechat.typing import Typist
from config.city import City
from config.errors import ConfigError
from config.settings import Settings
from store.seal import keys_of
from web.sharedredis import shared_redis

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Wechat:
    """What a web process does for the account; ``start`` and ``stop`` it with the process."""

    door: WechatDoor
    pusher: Pusher
    fetcher: Fetcher
    typist: Typist
    client: httpx.AsyncClient
    shared: redis.Redis

    def start(self) -> None:
        """Begin to tell citizens what they were not told at once, and to fetch what they sent."""
        self.pusher.start()
        self.fetcher.start()

    async def stop(self) -> None:
        """End; what is under way ends first, or is done by another process."""
        await self.door.settled()
        await self.pusher.stop()
        await self.fetcher.stop()
        await self.typist.stop()
        await self.client.aclose()
        await self.shared.aclose()


def make_wechat(
    settings: Settings,
    city: City,
    engine: Engine,
    core: Core,
    bus: Bus,
    now: Callable[[], datetime],
    questions: Callable[[], tuple[str, ...]],
) -> Wechat | None:
    """The account of the settings; None where there is none.

    Raises ``ConfigError`` ``settings_invalid`` for a key that is none, or an unknown line.
    """
    try:
        account = account_of(settings)
    except IncomingError:
        raise ConfigError(
            "settings_invalid", "QIANMEN_WECHAT_AES_KEY: the EncodingAESKey has 43 characters"
        ) from None
    if account is None:
        return None
    client, shared = http_client(), shared_redis(settings)
    tokens = token.Tokens(_account(settings), client, shared)
    api = Api(settings.wechat_api, client, tokens, Pace(settings.wechat_calls_per_s))
    typist = Typist(engine, api)
    pusher = Pusher(Teller(engine, api, city.prompts, now), bus, _is_ours, typist.show)
    files = Files(settings.recordings_dir, keys_of(engine))
    fetcher = Fetcher(engine, files, api, core, settings.asr_address, now, bus.tell)
    door = WechatDoor(
        account, core, engine, city, line=_line(settings, city), rules=_rules(settings),
        times=Times(reply_s=settings.wechat_reply_s), questions=questions, now=now,
        fetch=fetcher.wake, wake=pusher.wake, late=typist.show,
    )  # fmt: skip
    return Wechat(door, pusher, fetcher, typist, client, shared)


def _is_ours(conversation: str) -> bool:
    return conversation.startswith(PREFIX)


def _rules(settings: Settings) -> Rules:
    return Rules(settings.wechat_quota, settings.wechat_click_quota, timedelta(hours=48))


def _line(settings: Settings, city: City) -> str:
    known = [line.number for line in city.lines]
    if settings.wechat_line and settings.wechat_line not in known:
        raise ConfigError(
            "settings_invalid", f"QIANMEN_WECHAT_LINE: the city has no line {settings.wechat_line}"
        )
    return settings.wechat_line or known[0]


def _account(settings: Settings) -> token.Account:
    return token.Account(settings.wechat_appid, settings.wechat_secret, settings.wechat_api)
