"""Telling one claimed citizen what they were not told yet, message by message."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from chat.wechat import ledger, metrics
from chat.wechat.api import Api
from chat.wechat.errors import UNSURE, WeChatError
from chat.wechat.ledger import Claim
from chat.wechat.merging import GAP, Outgoing, Place, Style, pack, pieces_of, silent
from chat.wechat.messages import TEXT_BYTES, Text
from chat.wechat.quota import Quota
from config.prompts import Prompts
from turns.replies import Told

LEASE = timedelta(seconds=45)
"""Longer than one message may take with all its tries."""
BACK_OFF_S = (2.0, 5.0, 15.0, 30.0, 60.0)
"""After so many failures in a row, the last for all that follow."""
SKIP_AFTER = 8
"""So often the platform may refuse the same plain text; then it is passed over, and said so."""
MERGE_S = {1: 6.0, 2: 2.0}
"""With so few messages left, an agent's line waits so long for the next, to share a message."""
_CITIZEN = frozenset({"window_over", "quota_of_messages", "unsubscribed", "openid_invalid"})
_MAYBE_SENT = frozenset({UNSURE, "wechat_malformed"})
_SPREAD = 0.2
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class After:
    """What follows: nobody looks before ``next_at``; ``failed``: it came to nothing."""

    next_at: datetime | None = None
    failed: bool = False


NOTHING = After()


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells citizens; ``now`` is aware, ``jitter`` in [0, 1)."""

    engine: Engine
    api: Api
    prompts: Prompts
    now: Callable[[], datetime]
    jitter: Callable[[], float] = random.random

    async def tell(self, claimed: Claim) -> After:
        """Send until nothing is left to tell, or nothing more may be sent.

        Raises SQLAlchemyError.
        """
        plain = False
        while True:
            told = await asyncio.to_thread(ledger.untold, self.engine, claimed)
            wait_s = merge_wait_s(told, claimed, self.now())
            if wait_s > 0:
                return After(self.now() + timedelta(seconds=wait_s))
            plan = self._plan(told, claimed, plain=plain)
            if not plan:
                await self._nothing(told, claimed)
                return NOTHING
            done = await self._send(claimed, plan[0], told)
            if isinstance(done, Claim):
                claimed = done
            elif done is None and not plain:
                plain = True
                claimed = await self._again(claimed)
            else:
                return done or NOTHING

    async def _again(self, claimed: Claim) -> Claim:
        """The claim with what is left now."""
        return await asyncio.to_thread(ledger.as_it_stands, self.engine, claimed) or claimed

    def _plan(self, told: tuple[Told, ...], claimed: Claim, *, plain: bool) -> tuple[Outgoing, ...]:
        now, quota = self.now(), claimed.quota
        style = style_of(claimed, now, self.prompts, plain=plain)
        return pack(pieces_of(told), quota.available(now), claimed.place, style)

    async def _nothing(self, told: tuple[Told, ...], claimed: Claim) -> None:
        place = silent(pieces_of(told), claimed.place)
        if place != claimed.place:
            await asyncio.to_thread(ledger.told, self.engine, claimed, place, self.now())
        elif told:
            metrics.held.labels("quota").inc()

    async def _send(
        self, claimed: Claim, outgoing: Outgoing, told: tuple[Told, ...]
    ) -> Claim | After | None:
        """Count, send, move the cursor: the claim as it is then; None: try it as a plain text."""
        before, asked = claimed.quota, self.now()
        counted = await asyncio.to_thread(ledger.count, self.engine, claimed, asked, LEASE)
        if counted is None:
            return NOTHING
        try:
            await self.api.send(claimed.openid, outgoing.message)
        except WeChatError as error:
            metrics.sent.labels("failed").inc()
            return await self._failed(counted, outgoing, error, (before, asked))
        now = self.now()
        _measure(outgoing, told, now)
        moved = await asyncio.to_thread(ledger.told, self.engine, counted, outgoing.place, now)
        return moved or NOTHING

    async def _failed(
        self, claimed: Claim, outgoing: Outgoing, error: WeChatError,
        began: tuple[Quota, datetime],
    ) -> Claim | After | None:  # fmt: skip
        """``began``: what was left before it was counted, and when that was."""
        before, asked = began
        maybe = error.code in _MAYBE_SENT or error.code.startswith("wechat_http_5")
        if not maybe:
            await asyncio.to_thread(ledger.not_sent, self.engine, claimed, before)
        if error.code in _CITIZEN:
            metrics.held.labels(error.code).inc()
            await asyncio.to_thread(
                ledger.refused, self.engine, claimed, error.code, self.now(), asked
            )
            return NOTHING
        if error.passing:
            return self._later(claimed)
        fancy = not isinstance(outgoing.message, Text) or error.code == "text_too_long"
        if fancy and claimed.tries < SKIP_AFTER:
            return None
        if claimed.tries < SKIP_AFTER:
            return self._later(claimed)
        _log.error("wechat_turn_skipped", code=error.code, errcode=error.errcode,
                   conversation=claimed.conversation, cursor=outgoing.place.cursor)  # fmt: skip
        skipped = await asyncio.to_thread(
            ledger.told, self.engine, claimed, outgoing.place, self.now()
        )
        return skipped or NOTHING

    def _later(self, claimed: Claim) -> After:
        plain_s = BACK_OFF_S[min(claimed.tries, len(BACK_OFF_S) - 1)]
        wait_s = plain_s * (1 - _SPREAD + 2 * _SPREAD * self.jitter())
        return After(self.now() + timedelta(seconds=wait_s), failed=True)


def merge_wait_s(told: tuple[Told, ...], claimed: Claim, now: datetime) -> float:
    """How long an agent's last line should still wait for the next one. Pure."""
    if not told or told[-1].speaker != "agent" or claimed.state != "agent":
        return 0.0
    merge_s = MERGE_S.get(claimed.quota.available(now), 0.0)
    return max(0.0, merge_s - (now - told[-1].at).total_seconds())


def style_of(claimed: Claim, now: datetime, prompts: Prompts, *, plain: bool) -> Style:
    """How to send now. Pure.

    A menu only where something is left after it for what comes late: a click on it allows three
    messages in one minute, a written number five in two days.
    """
    lasting = claimed.quota.lasting(now)
    with_people = claimed.state in ("waiting", "agent")
    return Style(
        menus=lasting >= 2 and not plain,
        cards=not plain,
        more=GAP + prompts.wechat_more,
        last=GAP + prompts.wechat_last if with_people and lasting <= 1 else "",
        pick=prompts.wechat_pick,
        limit=TEXT_BYTES // 2 if plain else TEXT_BYTES,
    )


def _measure(outgoing: Outgoing, told: tuple[Told, ...], now: datetime) -> None:
    metrics.sent.labels(type(outgoing.message).__name__.lower()).inc()
    for item in told:
        if Place(item.cursor) <= outgoing.place:
            metrics.late.observe(max(0.0, (now - item.at).total_seconds()))
