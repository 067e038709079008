"""What the queue is made of: entries, seats, what changed, what is shown. Frozen and plain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from config.queue import PHONE

State = Literal[
    "waiting", "offered", "accepted", "connected", "wrapup", "done", "abandoned", "callback", "bot"
]
OPEN = ("waiting", "offered", "accepted")
"""States of a citizen who has nobody yet."""
ACTIVE = (*OPEN, "connected")
"""States of a citizen who waits, or talks with a person."""
STATUSES = ("online", "busy", "break", "offline")
"""What an agent may choose; ``wrapup`` comes by itself after a talk."""
CODES = (
    "offer_gone", "entry_unknown", "entry_changed", "not_yours", "agent_unknown",
    "status_unknown", "reason_unknown", "result_unknown", "full", "target_unknown", "not_staffed",
)  # fmt: skip


class QueueError(Exception):
    """What was asked for cannot be; ``code`` is one of :data:`CODES`."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tried:
    """Somebody who was offered an entry and has it no more.

    ``outcome``: declined, lapsed, vanished, phone_failed, transferred, away (left their desk).
    """

    agent: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One citizen on the way to a person, as ``store.tables.HandoffEntry``; ``offer`` '' if none.

    ``note`` is what the agent wrote at the end.
    """

    handoff: str
    conversation: str
    order: str
    channel: str
    reason: str
    urgency: str
    state: str
    created_at: datetime
    changed_at: datetime
    skills: tuple[str, ...] = ()
    priority: int = 0
    front: bool = False
    agent: str = ""
    wanted_agent: str = ""
    offer: str = ""
    offer_until: datetime | None = None
    tried: tuple[Tried, ...] = ()
    due_at: datetime | None = None
    alarmed_at: datetime | None = None
    estimate_s: int | None = None
    told_at: datetime | None = None
    accepted_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    result: str = ""
    edition: int = 1

    @property
    def is_call(self) -> bool:
        """A voice, not words on a screen."""
        return self.channel == PHONE

    def waited_s(self, now: datetime) -> float:
        """Since the citizen asked for a person, s."""
        return max(0.0, (now - self.created_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Seat:
    """One agent who signed in, and what they have in hand.

    ``phone``: they have a telephone; ``offered``: an offer is open on their screen or their
    telephone rings. ``calls`` and ``chats`` count what is accepted or connected, and call-backs
    they took.
    """

    login: str
    name: str
    status: str
    since: datetime
    seen_at: datetime
    idle_since: datetime
    wrap_until: datetime | None = None
    next_status: str = ""
    skills: tuple[str, ...] = ()
    phone: bool = True
    capacity: int = 1
    calls: int = 0
    chats: int = 0
    offered: bool = False

    @property
    def talks(self) -> int:
        """What they have in hand."""
        return self.calls + self.chats


@dataclass(frozen=True, slots=True)
class Change:
    """What :func:`handoff.queue.service.dispatch` did, for whoever wakes the desks.

    ``kind``: offered, lapsed, vanished (before they talked), returned (a chat whose agent
    vanished), abandoned, done (wrap-up is over), ready, signed_off, alarmed, reopened (a call-back
    that nobody finished). ``agent`` is whose desk it is about; '' nobody's.
    """

    kind: str
    handoff: str = ""
    conversation: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a citizen stands: ``position`` counts from 1, 0 once somebody is on the way.

    ``estimate_s``: how long it will take, None where nobody can tell (nobody is signed in).
    """

    handoff: str
    state: str
    position: int
    estimate_s: int | None
    agent: str
    waited_s: float
    may_call_back: bool = False
    """Waited so long that a call-back should be offered."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and the longest of them, s."""

    calls: int = 0
    chats: int = 0
    longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent as colleagues see them; ``status`` is offline for who has vanished."""

    login: str
    name: str
    status: str
    since: datetime
    skills: tuple[str, ...] = ()
    calls: int = 0
    chats: int = 0
    capacity: int = 1


@dataclass(frozen=True, slots=True)
class DeskState:
    """One agent's desk: the offer on it, and the talks they have in hand (also in wrap-up)."""

    status: str
    since: datetime
    wrap_until: datetime | None
    offer: Entry | None
    mine: tuple[Entry, ...]
    waiting: Waiting
    agents: tuple[Colleague, ...] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """How a channel kept its goal since midnight: ``within`` of ``answered`` in ``goal_s`` s.

    Abandoned ones that waited longer than the goal count as missed in ``share``.
    """

    goal_s: int
    entered: int = 0
    answered: int = 0
    within: int = 0
    abandoned: int = 0
    abandoned_late: int = 0

    @property
    def share(self) -> float | None:
        """Answered within the goal, of all that were answered or gave up late; None of none."""
        of = self.answered + self.abandoned_late
        return self.within / of if of else None


@dataclass(frozen=True, slots=True)
class Overview:
    """The queue for the wall."""

    waiting: Waiting
    entries: tuple[Entry, ...]
    agents: tuple[Colleague, ...]
    calls: Goal
    chats: Goal
    callbacks: int = 0
    callbacks_overdue: int = 0
    by_status: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """Somebody to be called back; ``overdue`` past ``due_at``."""

    id: int
    phone: str
    conversation: str
    order: str
    handoff: str
    reason: str
    state: str
    agent: str
    calls: int
    tries: int
    note: str
    created_at: datetime
    due_at: datetime | None
    overdue: bool = False
