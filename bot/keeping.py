"""What callers said, in memory, so that an order can be kept while the database is away."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.handover import draft_of
from bot.parts import Parts
from bot.records import Opening
from bot.urgent import Urgent
from handoff.order.journal import JournalError, Kept, keep
from handoff.prefill import Facts, Said
from turns.context import Context
from turns.heard import Heard

_MOST = 60
"""So many turns of a call are remembered."""
_WORDS = ("speech", "text")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Call:
    opening: Opening
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=_MOST))
    kept: bool = False


class Keeping:
    """The calls of this process. A chat needs none of this: its page sends again what was lost."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._calls: dict[str, _Call] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def opened(self, opening: Opening) -> None:
        """A call begins."""
        if opening.channel == "phone":
            self._calls.setdefault(opening.conversation, _Call(opening))

    def heard(self, heard: Heard) -> None:
        """A turn came in, whether or not it could be written down; one that goes on replaces."""
        call = self._calls.get(heard.conversation)
        if call is not None:
            if call.heard and heard.continues and call.heard[-1].id == heard.continues:
                call.heard.pop()
            call.heard.append(heard)

    def forget(self, conversation: str) -> None:
        """The call is over."""
        self._calls.pop(conversation, None)
        self._locks.pop(conversation, None)

    async def keep(self, conversation: str, at: datetime) -> bool:
        """Keep the call's order in the journal; whether it stands there (done once)."""
        call, journal = self._calls.get(conversation), self._parts.journal
        if call is None or journal is None:
            return False
        async with self._locks[conversation]:
            if not call.kept:
                kept = self._order(call, at)
                try:
                    await asyncio.to_thread(keep, journal.folder, kept, journal.keys)
                except JournalError as error:
                    _log.error("order_lost", code=error.code)
                    return False
                _log.warning("call_kept", code="store_down", turns=len(call.heard))
                call.kept = True
        return True

    def _order(self, call: _Call, at: datetime) -> Kept:
        """The order of what was said so far."""
        parts, opening = self._parts, call.opening
        danger: Urgent | None = None
        said = []
        for heard in call.heard:
            if heard.kind in _WORDS and heard.text:
                found = parts.urgent(heard.text)
                dangerous = found is not None and found.kind == "danger"
                danger = danger or (found if dangerous else None)
                act = "danger" if dangerous else "handoff" if found else ""
                said.append(Said(heard.id, heard.text, heard.at, heard.confidence, act))
        local = at.astimezone(parts.city.zone)
        facts = Facts(
            conversation=opening.conversation, channel=opening.channel, line=opening.line,
            caller=opening.citizen, started_at=opening.at, context=Context(region=opening.region),
            said=tuple(said), slots=(), extracted=parts.extract(tuple(said), local),
        )  # fmt: skip
        draft = draft_of(facts, "danger" if danger else "failure")
        return Kept(
            draft, local, handoff=draft.key, reason="danger" if danger else "failure",
            danger=danger.topic if danger else "", citizen=opening.citizen,
        )  # fmt: skip
