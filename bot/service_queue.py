"""The queue for a person on our database; see ``handoff.queue.service``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import cast

from sqlalchemy import Engine, select

from config.queue import QueueRules
from handoff.queue import service
from handoff.queue.model import ACTIVE
from store.engine import reading
from store.tables import HandoffEntry, Staff
from turns.replies import Urgency
from turns.standing import Standing, StandingState

FRESH_S = 2.0
"""So old the places in the queue may be: hundreds who wait look every few seconds."""
_AGAIN_S = 0.2
"""As old for who stands in no place yet: they have just come, or their channel is closed."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The queue at one moment: places by handoff; which channels are staffed, and attended."""

    read_at: float = -1e9
    places: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    staffed: dict[str, bool] = field(default_factory=dict)
    attended: dict[str, bool] = field(default_factory=dict)


class ServiceQueue:
    """Fulfils ``bot.queue.Queue``. ``reached`` tells whether other processes hear of what happens
    here: without Redis nobody at a desk would. ``clock`` counts seconds.
    """

    def __init__(
        self,
        engine: Engine,
        rules: QueueRules,
        reached: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._reached = reached
        self._clock = clock
        self._lock = threading.Lock()
        self._snapshot = _Snapshot()

    def staffed(self, channel: str, now: datetime) -> bool:
        """Whether somebody is there who may take a citizen of ``channel``, and can be told."""
        return self._reached() and service.staffed(self._engine, channel, now, self._rules)

    def standing(self, conversation: str, now: datetime) -> Standing | None:
        """Where the citizen stands; None for who neither waits for a person nor has one.

        Whether and by whom they were taken is as it is now; place and estimate may be
        ``FRESH_S`` old.
        """
        with reading(self._engine) as session:
            row = session.scalar(
                select(HandoffEntry)
                .where(HandoffEntry.conversation_id == conversation)
                .where(HandoffEntry.state.in_(ACTIVE))
                .order_by(HandoffEntry.created_at.desc(), HandoffEntry.id.desc())
                .limit(1)
            )
            if row is None:
                return None
            name = row.agent and session.scalar(select(Staff.name).where(Staff.login == row.agent))
        waits = row.state == "waiting"
        snapshot = self._look(row, now) if waits else _Snapshot()
        position, estimate_s = snapshot.places.get(row.id, (1, None)) if waits else (0, 0)
        return Standing(
            row.id, cast(StandingState, row.state), position, estimate_s, row.agent,
            name or row.agent, max(0.0, (now - row.created_at).total_seconds()),
            cast(Urgency, row.urgency), not waits or snapshot.staffed[row.channel],
            not waits or snapshot.attended[row.channel],
        )  # fmt: skip

    def ask_callback(self, conversation: str, phone: str, now: datetime) -> bool:
        """They wait no longer and are called back on ``phone``; False where they do not wait."""
        return service.ask_callback(self._engine, conversation, phone, now, self._rules)

    def _look(self, row: HandoffEntry, now: datetime) -> _Snapshot:
        """The queue as somebody in this process saw it just now, else as it is."""
        with self._lock:
            known = self._snapshot
            age_s = self._clock() - known.read_at
            if age_s > (FRESH_S if row.id in known.places else _AGAIN_S):
                known = _Snapshot(self._clock(), service.places(self._engine, now, self._rules))
            if row.channel not in known.staffed:
                known.staffed[row.channel] = self.staffed(row.channel, now)
                known.attended[row.channel] = known.staffed[row.channel] or service.attended(
                    self._engine, row.channel, now, self._rules
                )
            self._snapshot = known
            return known
