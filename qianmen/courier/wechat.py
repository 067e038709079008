"""Order notices to citizens of WeChat, carried as the webhooks' news are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import redis.asyncio as redis
from sqlalchemy import Engine

from chat.wechat import metrics, notices
from chat.wechat.api import Api, http_client
from chat.wechat.pace import Pace
from chat.wechat.token import Account, Tokens
from config.city import City
from config.settings import Settings
from handoff.links import book
from handoff.links.book import Claim
from handoff.links.deliver import Patience, Step, after_delivery
from handoff.links.outcome import Outcome, Refused

THEIRS = frozenset({"unsubscribed", "notice_refused", "openid_invalid", "messages_blocked"})
"""Refusals that nobody here can mend, nor need be alarmed by; a wrong template is another thing."""
_REDIS_S = 1.0


@dataclass(slots=True)
class WechatWay:
    """How notices are claimed, sent and settled; see :class:`qianmen.courier.lane.Way`."""

    engine: Engine
    city: City
    api: Api
    name: str = notices.TARGET

    def claim(self, now: datetime, limit: int) -> tuple[Claim, ...]:
        """Lease what is due."""
        found = notices.claim(self.engine, self.city, now, limit)
        return tuple(
            Claim(due.id, self.name, notices.dumped(due), due.tries, due.since) for due in found
        )

    async def send(self, claim: Claim) -> Outcome:
        """To the platform, once."""
        outcome = await notices.send(self.api, claim.body)
        metrics.notices.labels(getattr(outcome, "code", "ok")).inc()
        return outcome

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> str:
        """Sent, to be tried again, or refused for good: who follows no more is no fault."""
        links = self.city.links
        patience = Patience(links.again_s, links.give_up_h)
        step: Step = after_delivery(outcome, claim.tries, claim.since, now, patience, 0.5)
        if isinstance(outcome, Refused):
            state = "refused" if outcome.code in THEIRS else "given_up"
            step = replace(step, state=state, fault=outcome.code)
        book.settle_news(self.engine, claim, step, now)
        return step.state


def others_of(city: City) -> book.Others:
    """Who is told of an entry of the outbox beside the webhooks' targets."""
    return lambda session, entry: notices.wanted(session, city, entry)


@asynccontextmanager
async def wechat_ways(
    settings: Settings, city: City, engine: Engine
) -> AsyncIterator[tuple[WechatWay, ...]]:
    """The way to the account's citizens while inside; () where the city has no such notices.

    Raises ``ConfigError``.
    """
    told = city.wechat.with_templates(settings.wechat_templates)
    city = city.model_copy(update={"wechat": told})
    if not (settings.wechat_appid and settings.wechat_secret and city.wechat.notices):
        yield ()
        return
    shared = redis.from_url(
        settings.redis, socket_connect_timeout=_REDIS_S, socket_timeout=_REDIS_S
    )
    account = Account(settings.wechat_appid, settings.wechat_secret, settings.wechat_api)
    async with http_client() as client:
        tokens = Tokens(account, client, shared)
        try:
            pace = Pace(settings.wechat_calls_per_s)
            yield (WechatWay(engine, city, Api(settings.wechat_api, client, tokens, pace)),)
        finally:
            await shared.aclose()
