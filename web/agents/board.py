"""Everything that the open desks of a process show of the queue, read at once for all of them.

Two hundred desks that each asked the database would ask it two hundred times for one change: they
share one :class:`Board`, and each takes its own view of it. Reading is synchronous; views are pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Engine, Row, func, select
from sqlalchemy.orm import Session

from handoff.order.veiled import veiled_titles
from store.engine import reading
from store.tables import (
    Agent,
    Alarm,
    Callback,
    Conversation,
    HandoffEntry,
    Linkage,
    Staff,
    Turn,
    WechatMedia,
    WorkOrder,
    WorkOrderField,
)
from web.agents.tally import Tally

MINE = ("accepted", "connected", "wrapup")
ALARMS_SHOWN = 50
CALLBACKS_SHOWN = 50
_DESK_ROLES = frozenset({"agent", "supervisor"})


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who takes handoffs, as the others see them; ``offline`` who never sat down.

    ``reason`` is why they are busy or on a break, where they said so.
    """

    login: str
    name: str
    status: str = "offline"
    since: datetime | None = None
    wrap_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A colleague gave the citizen on: their login, and what they said of it."""

    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One citizen offered to one agent until ``until``; ``where`` is filled for the offer only."""

    offer: str
    handoff: str
    agent: str
    channel: str
    reason: str
    urgency: str
    title: str
    summary: str
    kind: str
    where: str
    since: datetime
    until: datetime | None
    earlier: int
    skills: tuple[str, ...]
    passed: Passed | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What has changed in a talk since a desk looked last, without its words.

    ``seq``: of the newest turn; ``heard``: how many turns the citizen has; ``edition`` of the
    order; ``links``: how the order's links stand; ``coming``: how many of the citizen's files are
    still to be fetched.
    """

    seq: int = 0
    heard: int = 0
    edition: int = 0
    links: tuple[str, ...] = ()
    coming: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A citizen whom an agent has, or whom they have just left (wrapup); ``ended``: is gone."""

    handoff: str
    conversation: str
    channel: str
    agent: str
    state: str
    number: str
    title: str
    urgency: str
    since: datetime
    ended: bool = False
    mark: Mark = Mark()
    passed: Passed | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for somebody, and since when the first."""

    calls: int = 0
    chats: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlarmNote:
    """Something that a person must see."""

    id: int
    kind: str
    text: str
    at: datetime
    object: str


@dataclass(frozen=True, slots=True)
class ToCall:
    """Somebody who is to be called back; ``phone`` only where an agent has taken it."""

    id: int
    agent: str
    reason: str
    number: str
    title: str
    phone: str
    calls: int
    tries: int
    since: datetime
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    """One moment of the queue: offers and cases by the agent's login, ``held`` cases by handoff.

    ``listed``: the colleagues as everybody is shown them, which may be a little older;
    ``listed_json`` the same as it goes out to all. ``tallies``: everybody's day so far, by login.
    """

    colleagues: tuple[Colleague, ...] = ()
    listed: tuple[Colleague, ...] = ()
    listed_json: str = "[]"
    offers: Mapping[str, Offer] = field(default_factory=lambda: MappingProxyType({}))
    cases: Mapping[str, tuple[Case, ...]] = field(default_factory=lambda: MappingProxyType({}))
    held: Mapping[str, Case] = field(default_factory=lambda: MappingProxyType({}))
    waiting: Waiting = Waiting()
    alarms: tuple[AlarmNote, ...] = ()
    callbacks: tuple[ToCall, ...] = ()
    tallies: Mapping[str, Tally] = field(default_factory=lambda: MappingProxyType({}))

    def colleague(self, login: str) -> Colleague:
        """Where ``login`` stands."""
        known = (one for one in self.colleagues if one.login == login)
        return next(known, Colleague(login, login))

    def case(self, login: str, handoff: str) -> Case | None:
        """One of the agent's own citizens."""
        return next((one for one in self.cases.get(login, ()) if one.handoff == handoff), None)


def read_board(engine: Engine, now: datetime, vanish_s: float) -> Board:
    """The queue as it stands; whose desk was not seen for ``vanish_s`` is shown as offline."""
    with reading(engine) as session:
        offers, cases = _entries(session)
        return Board(
            colleagues=_colleagues(session, now - timedelta(seconds=vanish_s)),
            offers=MappingProxyType(offers),
            cases=MappingProxyType(cases),
            held=MappingProxyType({one.handoff: one for mine in cases.values() for one in mine}),
            waiting=_waiting(session),
            alarms=_alarms(session),
            callbacks=_callbacks(session),
        )


def _colleagues(session: Session, alive: datetime) -> tuple[Colleague, ...]:
    rows = session.execute(
        select(Staff.login, Staff.name, Staff.roles, Agent.status, Agent.since, Agent.wrap_until,
               Agent.reason, Agent.seen_at)
        .outerjoin(Agent, Agent.login == Staff.login)
        .where(Staff.active)
        .order_by(Staff.login)
    )  # fmt: skip
    return tuple(
        Colleague(row.login, row.name, row.status, row.since, row.wrap_until, row.reason)
        if row.status and row.seen_at >= alive
        else Colleague(row.login, row.name)
        for row in rows
        if _DESK_ROLES & {str(role) for role in row.roles}
    )


def _entries(session: Session) -> tuple[dict[str, Offer], dict[str, tuple[Case, ...]]]:
    rows = session.execute(
        select(
            HandoffEntry.id, HandoffEntry.conversation_id, HandoffEntry.order_id,
            HandoffEntry.state, HandoffEntry.agent, HandoffEntry.channel, HandoffEntry.reason,
            HandoffEntry.urgency, HandoffEntry.skills, HandoffEntry.offer,
            HandoffEntry.offer_until, HandoffEntry.created_at, HandoffEntry.accepted_at,
            HandoffEntry.tried, HandoffEntry.note,
            WorkOrder.number, WorkOrder.title, WorkOrder.summary, WorkOrder.kind,
            WorkOrder.channel.label("order_channel"), WorkOrder.repeat_count, WorkOrder.edition,
            Conversation.ended_at,
        )
        .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
        .join(WorkOrder, WorkOrder.id == HandoffEntry.order_id)
        .where(HandoffEntry.state.in_(("offered", *MINE)))
        .order_by(HandoffEntry.created_at, HandoffEntry.id)
    ).all()  # fmt: skip
    offered = [row for row in rows if row.state == "offered"]
    places = _places(session, [row.order_id for row in offered])
    marks = _marks(session, [row for row in rows if row.state != "offered"])
    cases: dict[str, list[Case]] = defaultdict(list)
    for row in rows:
        if row.state != "offered":
            cases[row.agent].append(_case(row, marks[row.id]))
    offers = {row.agent: _offer(row, places.get(row.order_id, "")) for row in offered}
    return offers, {login: tuple(found) for login, found in cases.items()}


def _places(session: Session, orders: Sequence[str]) -> dict[str, str]:
    if not orders:
        return {}
    rows = session.execute(
        select(WorkOrderField.order_id, WorkOrderField.value)
        .where(WorkOrderField.order_id.in_(orders), WorkOrderField.name == "where")
    )  # fmt: skip
    return {row.order_id: row.value for row in rows}


def _offer(row: Row[tuple[object, ...]], where: str) -> Offer:
    return Offer(
        offer=row.offer, handoff=row.id, agent=row.agent, channel=_channel(row), reason=row.reason,
        urgency=row.urgency, title=row.title, summary=row.summary or "", kind=row.kind,
        where=where, since=row.created_at, until=row.offer_until,
        earlier=max(0, (row.repeat_count or 1) - 1),
        skills=tuple(str(skill) for skill in row.skills or ()), passed=_passed(row),
    )  # fmt: skip


def _passed(row: Row[tuple[object, ...]]) -> Passed | None:
    """Who gave them on last, if anybody."""
    given = [
        str(one.get("agent", "")) for one in row.tried or ()
        if isinstance(one, dict) and one.get("outcome") == "transferred"
    ]  # fmt: skip
    return Passed(given[-1], row.note or "") if given else None


def _case(row: Row[tuple[object, ...]], mark: Mark) -> Case:
    return Case(
        handoff=row.id, conversation=row.conversation_id, channel=_channel(row), agent=row.agent,
        state=row.state, number=row.number, title=row.title, urgency=row.urgency,
        since=row.accepted_at or row.created_at, ended=row.ended_at is not None, mark=mark,
        passed=_passed(row),
    )  # fmt: skip


def _channel(row: Row[tuple[object, ...]]) -> str:
    return str(row.channel or row.order_channel)


def _marks(session: Session, rows: Sequence[Row[tuple[object, ...]]]) -> dict[str, Mark]:
    if not rows:
        return {}
    talks = [row.conversation_id for row in rows]
    turns = {
        row.conversation_id: (row.seq, row.heard)
        for row in session.execute(
            select(
                Turn.conversation_id, func.max(Turn.seq).label("seq"),
                func.count().filter(Turn.speaker == "citizen").label("heard"),
            )
            .where(Turn.conversation_id.in_(talks))
            .group_by(Turn.conversation_id)
        )
    }  # fmt: skip
    links: dict[str, list[str]] = defaultdict(list)
    found = session.execute(
        select(Linkage.order_id, Linkage.party, Linkage.state)
        .where(Linkage.order_id.in_([row.order_id for row in rows]))
        .order_by(Linkage.id)
    )
    for order, party, state in found:
        links[order].append(f"{party}:{state}")
    found_turns = {row.id: turns.get(row.conversation_id, (0, 0)) for row in rows}
    coming = _coming(session, talks)
    return {
        row.id: Mark(*found_turns[row.id], row.edition, tuple(links[row.order_id]),
                     coming[row.conversation_id])
        for row in rows
    }  # fmt: skip


def _coming(session: Session, talks: Sequence[str]) -> Counter[str]:
    """How many files are still to be fetched, by conversation."""
    waiting = select(WechatMedia.conversation_id).where(
        WechatMedia.conversation_id.in_(talks), WechatMedia.state == "waiting"
    )
    return Counter(session.scalars(waiting))


def _waiting(session: Session) -> Waiting:
    rows = session.execute(
        select(HandoffEntry.channel, func.count(), func.min(HandoffEntry.created_at))
        .where(HandoffEntry.state.in_(("waiting", "offered")))
        .group_by(HandoffEntry.channel)
    ).all()
    calls = sum(count for channel, count, _ in rows if channel == "phone")
    chats = sum(count for channel, count, _ in rows if channel != "phone")
    return Waiting(calls, chats, min((oldest for _, _, oldest in rows), default=None))


def _alarms(session: Session) -> tuple[AlarmNote, ...]:
    rows = session.execute(
        select(Alarm.id, Alarm.kind, Alarm.text, Alarm.at, Alarm.object)
        .where(Alarm.seen_at.is_(None))
        .order_by(Alarm.at.desc(), Alarm.id.desc())
        .limit(ALARMS_SHOWN)
    )
    return tuple(AlarmNote(row.id, row.kind, row.text, row.at, row.object) for row in rows)


def _callbacks(session: Session) -> tuple[ToCall, ...]:
    rows = session.execute(
        select(
            Callback.id, Callback.agent, Callback.state, Callback.reason, Callback.phone,
            Callback.calls, Callback.tries, Callback.created_at, Callback.due_at,
            WorkOrder,
        )
        .join(WorkOrder, WorkOrder.id == Callback.order_id)
        .where(Callback.state.in_(("open", "taken")))
        .order_by(Callback.due_at, Callback.id)  # danger is due first, whenever it came
        .limit(CALLBACKS_SHOWN)
    ).all()  # fmt: skip
    titles = veiled_titles(session, [row.WorkOrder for row in rows])
    return tuple(
        ToCall(row.id, row.agent, row.reason, row.WorkOrder.number, titles[row.WorkOrder.id],
               row.phone if row.state == "taken" else "", row.calls, row.tries, row.created_at,
               row.due_at)
        for row in rows
    )  # fmt: skip
