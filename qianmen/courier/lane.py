"""What goes to one party or target: a few at a time, so that none waits behind another's silence.

A lane claims (the claim is committed, under a lease), sends, and settles; killed anywhere between,
the same message is due again under the same id when the lease is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog
from sqlalchemy import Engine

from config.links import Links, Party, Target
from handoff.links import book
from handoff.links.book import Claim
from handoff.links.deliver import Patience, Step, after_danger, after_delivery
from handoff.links.emergency import Danger, EmergencyLink
from handoff.links.http import Letter, Post
from handoff.links.keys import Keys
from handoff.links.outcome import Acknowledged, Failed, Outcome, Refused, of_status
from qianmen.courier import measured

AT_ONCE = 8
"""Messages on their way to one party or target."""
Now = Callable[[], datetime]
_log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)


class Way(Protocol):
    """How one party's or target's messages are claimed, sent and settled."""

    name: str

    def claim(self, now: datetime, limit: int) -> tuple[Claim, ...]:
        """Lease what is due. Synchronous, as ``settle``."""
        ...

    async def send(self, claim: Claim) -> Outcome:
        """Try once."""
        ...

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> str:
        """Write down what came of it; the state that follows."""
        ...


class DangerWay:
    """A party's orders in danger."""

    def __init__(self, engine: Engine, links: Links, party: Party, link: EmergencyLink) -> None:
        self.name = party.name
        self._engine, self._links, self._party, self._link = engine, links, party, link
        self._patience = Patience(links.danger_again_s, links.give_up_h)

    def claim(self, now: datetime, limit: int) -> tuple[Claim, ...]:
        """Lease what is due to the party."""
        return book.claim_danger(self._engine, self._party, self._links, now, limit)

    async def send(self, claim: Claim) -> Outcome:
        """Over the link."""
        return await self._link.send(Danger(claim.id, self._party, claim.body))

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> str:
        """An acknowledgement is kept, a refusal shown to people."""
        step = after_danger(outcome, claim.tries, claim.since, now, self._patience, _jitter())
        book.settle_danger(self._engine, claim, step, self._party, now)
        return step.state


class NewsWay:
    """A webhook's deliveries."""

    def __init__(
        self, engine: Engine, links: Links, target: Target, post: Post, keys: Keys, now: Now
    ) -> None:
        self.name = target.name
        self._engine, self._links, self._target = engine, links, target
        self._post, self._keys, self._now = post, keys, now
        self._patience = Patience(links.again_s, links.give_up_h)

    def claim(self, now: datetime, limit: int) -> tuple[Claim, ...]:
        """Lease what is due to the target."""
        return book.claim_news(self._engine, self._target, self._links, now, limit)

    async def send(self, claim: Claim) -> Outcome:
        """Post it; the status is all that counts."""
        target = self._target
        letter = Letter(claim.id, target.url, claim.body, self._keys, target.allow_private)
        reply = await self._post.send(letter, self._now())
        return reply if isinstance(reply, Failed) else of_status(reply)

    def settle(self, claim: Claim, outcome: Outcome, now: datetime) -> str:
        """Sent, to be tried again, or given up."""
        step: Step = after_delivery(
            outcome, claim.tries, claim.since, now, self._patience, _jitter()
        )
        book.settle_news(self._engine, claim, step, now)
        return step.state


def _jitter() -> float:
    return random.random()  # noqa: S311  # spreads tries; nothing secret hangs on it


class Lane:
    """Keeps up to ``AT_ONCE`` messages of one way going."""

    def __init__(self, way: Way, now: Now, settled: Callable[[str], None]) -> None:
        """``settled`` is called on the loop with the state that followed a try."""
        self._way, self._now, self._settled = way, now, settled
        self._going: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Claim what is due, as far as there is room, and begin to send it."""
        room = AT_ONCE - len(self._going)
        if room <= 0:
            return
        for claim in await asyncio.to_thread(self._way.claim, self._now(), room):
            task = asyncio.create_task(self._try(claim))
            self._going.add(task)
            task.add_done_callback(self._going.discard)

    async def _try(self, claim: Claim) -> None:
        outcome: Outcome
        try:
            outcome = await self._way.send(claim)
        except Exception as error:  # noqa: BLE001  # a link's fault is no reason to stop the others
            _log.error("link_failed", code="link_broken", link=claim.name, exc_info=error)
            outcome = Failed("link_broken")
        measured.tried(claim.name, outcome)
        _told(claim, outcome)
        await self._settle(claim, outcome)

    async def _settle(self, claim: Claim, outcome: Outcome) -> None:
        """A database that is away now gets the message sent again, which the far side knows."""
        try:
            state = await asyncio.to_thread(self._way.settle, claim, outcome, self._now())
        except Exception as error:  # noqa: BLE001  # whatever a driver raises
            _log.error(
                "settle_failed", code="store_down", link=claim.name, error=type(error).__name__
            )
            return
        self._settled(state)

    async def end(self, patience_s: float) -> None:
        """Let what is on its way come to its end for so long, then drop it."""
        if not self._going:
            return
        _, late = await asyncio.wait(set(self._going), timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _told(claim: Claim, outcome: Outcome) -> None:
    code = {Failed: "link_down", Refused: "link_refused"}.get(type(outcome))
    if code is None:
        _log.info("link_tried", link=claim.name, delivery=claim.id, tries=claim.tries,
                  acknowledged=isinstance(outcome, Acknowledged))  # fmt: skip
        return
    fault = outcome.code if isinstance(outcome, Failed | Refused) else ""
    _log.warning("link_tried", code=code, link=claim.name, delivery=claim.id, tries=claim.tries,
                 fault=fault)  # fmt: skip
