"""The queue for a person on our database; see ``handoff.queue.service``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from sqlalchemy import Engine, select

from config.queue import QueueRules
from handoff.queue import service
from store.engine import reading
from store.tables import HandoffEntry, Staff
from turns.replies import Urgency
from turns.standing import Standing, StandingState


class ServiceQueue:
    """Fulfils ``bot.queue.Queue``. ``reached`` tells whether other processes hear of what happens
    here: without Redis nobody at a desk would.
    """

    def __init__(self, engine: Engine, rules: QueueRules, reached: Callable[[], bool]) -> None:
        self._engine = engine
        self._rules = rules
        self._reached = reached

    def staffed(self, channel: str, now: datetime) -> bool:
        """Whether somebody is there who may take a citizen of ``channel``, and can be told."""
        return self._reached() and service.staffed(self._engine, channel, now, self._rules)

    def standing(self, conversation: str, now: datetime) -> Standing | None:
        """Where the citizen stands; None for who neither waits for a person nor has one."""
        found = service.standing(self._engine, conversation, now, self._rules)
        if found is None:
            return None
        with reading(self._engine) as session:
            entry = session.get(HandoffEntry, found.handoff)
            name = session.scalar(select(Staff.name).where(Staff.login == found.agent))
        if entry is None:
            return None
        return Standing(
            found.handoff, cast(StandingState, found.state), found.position, found.estimate_s,
            found.agent, name or found.agent, found.waited_s, cast(Urgency, entry.urgency),
            found.state != "waiting" or self.staffed(entry.channel, now),
        )  # fmt: skip

    def ask_callback(self, conversation: str, phone: str, now: datetime) -> bool:
        """They wait no longer and are called back on ``phone``; False where they do not wait."""
        return service.ask_callback(self._engine, conversation, phone, now, self._rules)
