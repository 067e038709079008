"""The queue as citizens, agents and the wall see it. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue.assign import has_room, in_order, is_present
from handoff.queue.callbacks import UNDONE
from handoff.queue.estimate import estimate_s, mean_handling_s
from handoff.queue.model import (
    ACTIVE,
    OPEN,
    Colleague,
    DeskState,
    Entry,
    Goal,
    Overview,
    Seat,
    Standing,
    Waiting,
)
from handoff.queue.rows import current, entry_of, newest, seats
from store.engine import reading
from store.tables import Agent, Callback, HandoffEntry

_TALKS = 50
_EXPERIENCE = timedelta(hours=4)
_Times = tuple[str, datetime, datetime | None, datetime | None]


def standing(
    engine: Engine, conversation: str, now: datetime, rules: QueueRules
) -> Standing | None:
    """Where the citizen stands; None where they neither wait nor talk with a person."""
    with reading(engine) as session:
        row = newest(session, conversation, ACTIVE)
        if row is None:
            return None
        mine = entry_of(row)
        if mine.state != "waiting":
            return Standing(mine.handoff, mine.state, 0, 0, mine.agent, mine.waited_s(now))
        entries = current(session)
        known = seats(session, entries)
        handling_s = _handling_s(session, mine, now, rules)
    ahead = [each for each in in_order(entries, rules, now) if each.is_call == mine.is_call]
    position = next((n for n, e in enumerate(ahead, 1) if e.handoff == mine.handoff), len(ahead))
    waited = mine.waited_s(now)
    return Standing(
        mine.handoff, mine.state, max(1, position),
        _estimate(mine, max(1, position), known, handling_s, rules, now), "", waited,
        waited >= rules.callbacks.offer_after_s,
    )  # fmt: skip


def places(engine: Engine, now: datetime, rules: QueueRules) -> dict[str, tuple[int, int | None]]:
    """Position and estimate (s) of everybody who waits, by handoff: one reading for them all."""
    found: dict[str, tuple[int, int | None]] = {}
    with reading(engine) as session:
        entries = current(session)
        known = seats(session, entries)
        ordered = in_order(entries, rules, now)
        for calls in (True, False):
            ahead = [each for each in ordered if each.is_call == calls]
            handling_s = _handling_s(session, ahead[0], now, rules) if ahead else 0.0
            for position, entry in enumerate(ahead, 1):
                estimate = _estimate(entry, position, known, handling_s, rules, now)
                found[entry.handoff] = (position, estimate)
    return found


def desk_of(
    engine: Engine, login: str, now: datetime, rules: QueueRules | None = None
) -> DeskState:
    """What belongs on one agent's desk; ``rules``: the usual ones where none are given."""
    known = rules or QueueRules()
    with reading(engine) as session:
        entries = current(session)
        everybody = seats(session, entries)
        me = session.get(Agent, login)
    mine = [entry for entry in entries if entry.agent == login]
    return DeskState(
        status=me.status if me else "offline",
        since=me.since if me else now,
        wrap_until=me.wrap_until if me else None,
        offer=next((entry for entry in mine if entry.state == "offered"), None),
        mine=tuple(entry for entry in mine if entry.state != "offered"),
        waiting=waiting(entries, now),
        agents=tuple(colleague(seat, known, now) for seat in everybody),
    )


def overview(engine: Engine, now: datetime, rules: QueueRules) -> Overview:
    """The queue for the wall: who waits and talks, the agents, and today's goals."""
    with reading(engine) as session:
        entries = current(session)
        everybody = seats(session, entries)
        calls, chats = goals(session, now, rules)
        undone = session.execute(
            select(func.count(), func.min(Callback.due_at)).where(Callback.state.in_(UNDONE))
        ).one()
        late = session.scalar(
            select(func.count())
            .select_from(Callback)
            .where(Callback.state.in_(UNDONE), Callback.due_at < now)
        )
    agents = tuple(colleague(seat, rules, now) for seat in everybody)
    return Overview(
        waiting=waiting(entries, now),
        entries=tuple(sorted(entries, key=lambda entry: entry.created_at)),
        agents=agents,
        calls=calls,
        chats=chats,
        callbacks=undone[0],
        callbacks_overdue=late or 0,
        by_status=dict(Counter(agent.status for agent in agents)),
    )


def waiting(entries: Iterable[Entry], now: datetime) -> Waiting:
    """Those who have nobody yet."""
    those = [entry for entry in entries if entry.state in OPEN]
    calls = sum(entry.is_call for entry in those)
    longest = max((entry.waited_s(now) for entry in those), default=0.0)
    return Waiting(calls, len(those) - calls, longest)


def colleague(seat: Seat, rules: QueueRules, now: datetime) -> Colleague:
    """A seat as others see it."""
    status = seat.status if is_present(seat, rules, now) else "offline"
    return Colleague(seat.login, seat.name, status, seat.since, seat.skills, seat.calls,
                     seat.chats, seat.capacity)  # fmt: skip


def _estimate(
    mine: Entry, position: int, known: Sequence[Seat], handling_s: float, rules: QueueRules,
    now: datetime,
) -> int | None:  # fmt: skip
    serving = [
        seat for seat in known
        if is_present(seat, rules, now) and seat.status in ("online", "wrapup")
        and seat.capacity > 0 and (seat.phone or not mine.is_call)
    ]  # fmt: skip
    free = sum(
        seat.status == "online" and not seat.offered
        and has_room(seat, call=mine.is_call, rules=rules)
        for seat in serving
    )  # fmt: skip
    places = len(serving) if mine.is_call else sum(seat.capacity for seat in serving)
    return estimate_s(position, places, free, handling_s)


def _handling_s(session: Session, mine: Entry, now: datetime, rules: QueueRules) -> float:
    """What a talk of this channel takes lately, wrap-up included."""
    same = HandoffEntry.channel == PHONE if mine.is_call else HandoffEntry.channel != PHONE
    rows = session.execute(
        select(HandoffEntry.accepted_at, HandoffEntry.ended_at)
        .where(HandoffEntry.created_at >= now - _EXPERIENCE, same)
        .where(HandoffEntry.state == "done", HandoffEntry.ended_at.is_not(None))
        .where(HandoffEntry.accepted_at.is_not(None))
        .order_by(HandoffEntry.created_at.desc())
        .limit(_TALKS)
    ).all()
    wrapup_s = rules.wrapup_s(mine.channel)
    times = [
        (ended - accepted).total_seconds() + wrapup_s
        for accepted, ended in rows
        if ended is not None and accepted is not None
    ]
    return mean_handling_s(times, rules.handling_s(mine.channel))


def goals(session: Session, now: datetime, rules: QueueRules) -> tuple[Goal, Goal]:
    """How calls and chats of the city's day were answered."""
    midnight = now.astimezone(ZoneInfo(rules.timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    rows = session.execute(
        select(
            HandoffEntry.channel, HandoffEntry.state, HandoffEntry.created_at,
            HandoffEntry.connected_at, HandoffEntry.ended_at,
        ).where(HandoffEntry.created_at >= midnight)
    ).all()  # fmt: skip
    times: tuple[list[_Times], list[_Times]] = ([], [])
    for channel, state, created, connected, ended in rows:
        times[channel != PHONE].append((state, created, connected, ended))
    return _goal(times[0], rules.answer_goal_s), _goal(times[1], rules.chat_goal_s)


def _goal(rows: Sequence[_Times], goal_s: int) -> Goal:
    waits = [(connected - created).total_seconds() for _, created, connected, _ in rows
             if connected is not None]  # fmt: skip
    left = [
        ((ended - created).total_seconds() if ended is not None else 0.0)
        for state, created, connected, ended in rows
        if connected is None and state in ("abandoned", "callback")
    ]
    return Goal(
        goal_s=goal_s,
        entered=len(rows),
        answered=len(waits),
        within=sum(wait <= goal_s for wait in waits),
        abandoned=len(left),
        abandoned_late=sum(wait > goal_s for wait in left),
    )
