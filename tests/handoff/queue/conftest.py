"""A hotline in small: citizens, agents and a queue over a real database, time passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from config.queue import QueueRules
from handoff.queue import service
from handoff.queue.model import Change, Entry
from handoff.queue.rows import entry_of
from store.engine import reading, writing
from store.tables import (
    Alarm,
    Callback,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Staff,
    Turn,
    WorkOrder,
)


@dataclass
class Hotline:
    """What tests do with the queue, and what they look at."""

    engine: Engine
    now: datetime
    rules: QueueRules

    def pass_s(self, seconds: float, *present: str) -> None:
        """Time goes by; the desks of ``present`` are open at its end."""
        self.now += timedelta(seconds=seconds)
        service.seen(self.engine, present, self.now)

    def hire(
        self, login: str, *, skills: tuple[str, ...] = (), capacity: int = 1, phone: bool = True,
        roles: tuple[str, ...] = ("agent",), status: str = "online",
    ) -> None:  # fmt: skip
        """Somebody works here from now on, and signs in."""
        with writing(self.engine) as session:
            session.add(
                Staff(login=login, name=login.upper(), password_hash="-", roles=list(roles),
                      skills=list(skills), phone_uri=f"sip:{login}@desk" if phone else "",
                      capacity=capacity, active=True, created_at=self.now),
            )  # fmt: skip
        if status:
            service.set_status(self.engine, login, status, self.now, self.rules)

    def call(self, name: str, *, said: str = "", phone: str = "13912345678", **how: str) -> str:
        """A citizen calls (or chats: ``channel``) and asks for a person; the entry's id."""
        channel = how.get("channel", "phone")
        with writing(self.engine) as session:
            if session.get(Conversation, name) is None:
                session.add(Conversation(id=name, channel=channel, citizen=phone,
                                         started_at=self.now, ended_at=None))  # fmt: skip
                session.flush()
                session.add(
                    WorkOrder(id=f"o-{name}", key=name, number=f"n-{name}", conversation_id=name,
                              channel=channel, kind="投诉", urgency="normal", title="",
                              department=how.get("department", ""), created_at=self.now),
                )  # fmt: skip
                session.add(Turn(conversation_id=name, speaker="citizen", kind="speech", heard="h",
                                 text=said, at=self.now))  # fmt: skip
                session.flush()
            return service.enter(
                session, handoff=f"handoff:{name}", conversation=name, order=f"o-{name}",
                channel=channel, reason=how.get("reason", "asked"),
                urgency=how.get("urgency", "normal"), skills=(), now=self.now, rules=self.rules,
            )  # fmt: skip

    def dispatch(self) -> tuple[Change, ...]:
        """What is due is done."""
        return service.dispatch(self.engine, self.rules, self.now)

    def offered(self, handoff: str) -> str:
        """Whose screen the entry is on, '' nobody's; after a dispatch."""
        self.dispatch()
        entry = self.entry(handoff)
        return entry.agent if entry.state == "offered" else ""

    def take(self, handoff: str) -> Entry:
        """Whoever is offered the entry accepts it, and their telephone is answered."""
        entry = self.entry(handoff)
        service.accept(self.engine, entry.offer, entry.agent, self.now, self.rules)
        return service.connected(self.engine, handoff, self.now)

    def entry(self, handoff: str) -> Entry:
        """The entry as it stands."""
        with reading(self.engine) as session:
            return entry_of(session.get_one(HandoffEntry, handoff))

    def talk(self, conversation: str) -> str:
        """The conversation's state."""
        with reading(self.engine) as session:
            return session.get_one(Conversation, conversation).state

    def end(self, conversation: str) -> None:
        """The citizen hangs up, or closes the page."""
        with writing(self.engine) as session:
            service.leave(session, conversation, self.now, self.rules)
            row = session.get_one(Conversation, conversation)
            row.state, row.ended_at = "ended", self.now

    def events(self, conversation: str) -> list[str]:
        """The history of the citizen's order."""
        with reading(self.engine) as session:
            found = select(OrderEvent.event).where(OrderEvent.order_id == f"o-{conversation}")
            return list(session.scalars(found.order_by(OrderEvent.id)))

    def callbacks(self) -> list[Callback]:
        """Every call-back there ever was."""
        with reading(self.engine) as session:
            return list(session.scalars(select(Callback).order_by(Callback.id)))

    def alarms(self, *, open_only: bool = True) -> list[str]:
        """The kinds of alarms."""
        with reading(self.engine) as session:
            found = select(Alarm.kind).order_by(Alarm.id)
            return list(
                session.scalars(found.where(Alarm.seen_at.is_(None)) if open_only else found)
            )

    def status(self, login: str) -> str:
        """An agent's status, as they see it."""
        return service.desk_of(self.engine, login, self.now, self.rules).status


@pytest.fixture
def hotline(engine: Engine, now: datetime) -> Hotline:
    """Nobody works here yet, nobody has called."""
    return Hotline(engine, now, QueueRules())
